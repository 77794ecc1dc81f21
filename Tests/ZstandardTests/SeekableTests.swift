import Foundation
import Testing

@testable import Zstandard

struct SeekableTests {
  let folder = TemporaryFolder()

  private func seekable(_ parts: [[UInt8]], maximumFrameSize: Int = 1 << 20) throws -> [UInt8] {
    var file: [UInt8] = []
    let writer = try SeekableWriter(maximumFrameSize: maximumFrameSize) { file += $0 }
    for part in parts {
      try writer.append(part)
      try writer.endFrame()
    }
    try writer.finish()
    #expect(writer.count == parts.map(\.count).reduce(0, +))
    return file
  }

  @Test(arguments: ["pyzstd.seekable.zst", "checksums.seekable.zst"])
  func anyRangeOfFilesOfOthers(name: String) throws {
    let reader = try SeekableReader(path: fixturePath(name))
    let expected = pattern(300_000)
    #expect(reader.count == 300_000 && reader.frames.count > 1)
    for (offset, count) in [(0, 300_000), (0, 0), (0, 1), (299_999, 1), (300_000, 0), (69_999, 2), (150_000, 100_000)] {
      #expect(try reader.read(offset: offset, count: count) == Array(expected[offset..<(offset + count)]))
    }
    for (offset, count) in [(-1, 1), (0, 300_001), (300_001, 0), (Int.max, Int.max), (0, -1)] {
      #expect(throws: ZstandardError.rangeOutOfBounds(offset: offset, count: count, size: 300_000)) {
        try reader.read(offset: offset, count: count)
      }
    }
  }

  @Test(arguments: [[], [0], [10], [3, 0, 5000, 1], [100_000, 200_000]])
  func framesEndWhereTheCallerSays(sizes: [Int]) throws {
    let parts = sizes.map(pattern)
    let reader = try SeekableReader(path: folder.file(seekable(parts)))
    let filled = parts.filter { !$0.isEmpty }
    #expect(reader.frames.map(\.contents.count) == filled.map(\.count))
    for (index, part) in filled.enumerated() { #expect(try reader.frame(index) == part) }
    #expect(try reader.read(offset: 0, count: reader.count) == parts.flatMap(\.self))
  }

  @Test func bytesDependOnFrameEndsNotOnCalls() throws {
    let contents = pattern(10_000)
    let atOnce = try seekable([contents], maximumFrameSize: 3000)
    var file: [UInt8] = []
    let writer = try SeekableWriter(maximumFrameSize: 3000) { file += $0 }
    for byte in contents { try writer.append([byte]) }
    try writer.finish()
    #expect(file == atOnce)
    #expect(try SeekableReader(path: folder.file(file)).frames.map(\.contents.count) == [3000, 3000, 3000, 1000])
    #expect(throws: ZstandardError.finished) { try writer.append([1]) }
    #expect(throws: ZstandardError.finished) { try writer.finish() }
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/zstd")))
  func commandLineToolReadsIt() throws {
    let path = try folder.file(seekable([pattern(1000), pattern(70_000)]), named: "a.zst")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/zstd")
    process.arguments = ["-dqk", path]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let unpacked = try Data(contentsOf: URL(fileURLWithPath: "\(folder.root)/a"))
    #expect([UInt8](unpacked) == pattern(1000) + pattern(70_000))
  }

  /// The last 9 bytes are the footer: count (4), flags (1), magic (4); before them entries of 8 bytes.
  @Test(arguments: [
    (9, 1), (8, 1), (6, 0x7f), (5, 0x04), (5, 0x80), (1, 1), (13, 1), (17, 1), (21, 1), (25, 1), (26, 1), (29, 1),
  ])
  func everyInconsistencyIsAnError(bytesFromEnd: Int, flipped: UInt8) throws {
    var file = try seekable([pattern(1000), pattern(500)])
    file[file.count - bytesFromEnd] ^= flipped
    let path = try folder.file(file)
    #expect(throws: ZstandardError.self) {
      let reader = try SeekableReader(path: path)
      _ = try reader.read(offset: 0, count: reader.count)
    }
  }

  @Test func claimBeyondWhatTheBytesCanHoldIsRefusedBeforeUnpacking() throws {
    var file = try seekable([pattern(100)])
    // The size in the only entry.
    for offset in 10...13 { file[file.count - offset] = 0xff }
    #expect(throws: ZstandardError.self) { try SeekableReader(path: folder.file(file)) }
  }

  @Test func filesThatAreNotSeekable() throws {
    for bytes in [[], pattern(9), pattern(100), try compressed(pattern(100))] {
      #expect(throws: ZstandardError.notSeekable) { try SeekableReader(path: folder.file(bytes)) }
    }
    #expect(throws: ZstandardError.self) { try SeekableReader(path: "/nowhere/x.zst") }
  }
}
