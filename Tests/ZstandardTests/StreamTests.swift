import Gzip
import Testing
import Zstandard

struct ZstandardStreamTests {
  @Test(arguments: [1, 2, 1000, 1 << 20])
  func framesAreReadWhateverTheirPieces(pieceSize: Int) throws {
    let reader = try ZstandardReader(source: pieces(fixture("frames.zst"), of: pieceSize))
    #expect(try all(reader.next) == pattern(300_000))
  }

  @Test(arguments: ["frames.zst", "pyzstd.seekable.zst", "checksums.seekable.zst"])
  func wholeFilesAreUnpackedInMemory(name: String) throws {
    #expect(try Zstandard.decompress(fixture(name), limit: 300_000) == pattern(300_000))
    #expect(throws: ZstandardError.tooLarge(limit: 299_999)) {
      try Zstandard.decompress(fixture(name), limit: 299_999)
    }
  }

  @Test func bombIsStoppedAtTheLimit() throws {
    #expect(throws: ZstandardError.tooLarge(limit: 1000)) {
      try Zstandard.decompress(fixture("bomb.zst"), limit: 1000)
    }
  }

  @Test func windowThatIsTooWideIsRefused() throws {
    let reader = try ZstandardReader(source: pieces(fixture("wide.zst"), of: 1000))
    #expect(throws: ZstandardError.self) { try all(reader.next) }
  }

  @Test(arguments: [0, 1, 37, 500, 700, 900, 950, 999])
  func truncationIsAnError(kept: Int) throws {
    let frame = try Zstandard.compress(pattern(5000))
    #expect(throws: ZstandardError.truncated) {
      try Zstandard.decompress(Array(frame.prefix(frame.count * kept / 1000)), limit: 5000)
    }
  }

  @Test func flippedBytesAreErrorsNotCrashes() throws {
    let frame = try Zstandard.compress(pattern(3000))
    for index in frame.indices {
      var damaged = frame
      damaged[index] ^= 0x10
      let result = try? Zstandard.decompress(damaged, limit: 3000)
      // A flipped bit may land where the format means nothing by it; it never changes the contents.
      #expect(result == nil || result == pattern(3000))
    }
  }

  @Test(arguments: [-5, 1, 3, 22])
  func levelsComeBack(level: Int) throws {
    let frame = try Zstandard.compress(pattern(10_000), level: level)
    #expect(try Zstandard.decompress(frame, limit: 10_000) == pattern(10_000))
  }

  @Test func unknownLevelIsAnError() {
    #expect(throws: ZstandardError.self) { try Zstandard.compress([1], level: 23) }
  }
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
