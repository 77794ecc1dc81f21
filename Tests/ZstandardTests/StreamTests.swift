import Gzip
import Testing

@testable import Zstandard

struct ZstandardStreamTests {
  @Test(arguments: [1, 2, 1000, 1 << 20])
  func framesAreReadWhateverTheirPieces(pieceSize: Int) throws {
    let reader = try ZstandardReader(source: pieces(fixture("frames.zst"), of: pieceSize))
    #expect(try all(reader.next) == pattern(300_000))
  }

  @Test(arguments: ["frames.zst", "pyzstd.seekable.zst", "checksums.seekable.zst"])
  func wholeFilesOfOthersAreUnpacked(name: String) throws {
    #expect(try unpacked(fixture(name)) == pattern(300_000))
  }

  @Test func bombIsHandedOutInPieces() throws {
    let reader = try ZstandardReader(source: pieces(fixture("bomb.zst"), of: 1 << 20))
    let piece = try #require(try reader.next())
    #expect(piece.count <= 1 << 20)
  }

  @Test func windowThatIsTooWideIsRefused() throws {
    let reader = try ZstandardReader(source: pieces(fixture("wide.zst"), of: 1000))
    #expect(throws: ZstandardError.self) { try all(reader.next) }
  }

  @Test(arguments: [0, 1, 37, 500, 700, 900, 950, 999])
  func truncationIsAnError(kept: Int) throws {
    let frame = try compressed(pattern(5000))
    #expect(throws: ZstandardError.truncated) { try unpacked(Array(frame.prefix(frame.count * kept / 1000))) }
  }

  @Test func flippedBytesAreErrorsNotCrashes() throws {
    let frame = try compressed(pattern(3000))
    for index in frame.indices {
      var damaged = frame
      damaged[index] ^= 0x10
      let result = try? unpacked(damaged)
      // A flipped bit may land where the format means nothing by it; it never changes the contents.
      #expect(result == nil || result == pattern(3000))
    }
  }

  @Test(arguments: [-5, 1, 3, 22])
  func levelsComeBack(level: Int) throws {
    #expect(try unpacked(compressed(pattern(10_000), level: level)) == pattern(10_000))
  }

  @Test func unknownLevelIsAnError() {
    #expect(throws: ZstandardError.self) { try compressed([1], level: 23) }
  }
}

/// All frames in `bytes`, handed over in pieces.
private func unpacked(_ bytes: [UInt8]) throws -> [UInt8] {
  try all(ZstandardReader(source: pieces(bytes, of: 1000)).next)
}

struct GzipStreamTests {
  @Test(arguments: ["members.gz", "padded.gz"], [1, 7, 1 << 20])
  func membersAreReadWhateverTheirPieces(name: String, pieceSize: Int) throws {
    let reader = try GzipReader(source: pieces(fixture(name), of: pieceSize))
    #expect(try all(reader.next) == pattern(300_000))
  }

  @Test(arguments: [0, 1, 9, 500, 2000])
  func truncationIsAnError(kept: Int) throws {
    let reader = try GzipReader(source: pieces(Array(fixture("members.gz").prefix(kept)), of: 100))
    #expect(throws: GzipError.truncated) { try all(reader.next) }
  }

  @Test func trailingBytesAreAnError() throws {
    for trailer in [[0x41], [0, 0, 0x1f]] as [[UInt8]] {
      let reader = try GzipReader(source: pieces(fixture("members.gz") + trailer, of: 1000))
      #expect(throws: GzipError.trailingBytes) { try all(reader.next) }
    }
  }

  @Test func flippedByteIsFoundByTheChecksum() throws {
    var bytes = try fixture("members.gz")
    bytes[bytes.count - 6] ^= 1
    let reader = try GzipReader(source: pieces(bytes, of: 1000))
    #expect(throws: GzipError.library("incorrect data check")) { try all(reader.next) }
  }
}
