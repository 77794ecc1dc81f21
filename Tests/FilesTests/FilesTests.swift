import Crypto
import Foundation
import Testing

@testable import Files

struct FilesTests {
  let folder = TemporaryFolder()

  @Test func atomicWriteReplacesTheWholeFile() throws {
    let path = folder.path("a.bin")
    try writeAtomically([1, 2, 3], to: path)
    try writeAtomically([4], to: path)
    #expect(try FileReader(path: path).read(at: 0, count: 1) == [4])
    #expect(folder.entries == ["a.bin"])
  }

  @Test func placesThatCannotBeWrittenToAreFoundBefore() throws {
    try requireWritable(folder.path("new.bin"))
    try requireWritable(folder.root, asDirectory: true)
    try requireWritable(folder.root + "/", asDirectory: true)
    #expect(throws: FileError.isADirectory(path: folder.root)) { try requireWritable(folder.root) }
    let nowhere = folder.path("nowhere")
    #expect(throws: FileError.noDirectory(path: nowhere, of: nowhere + "/a")) { try requireWritable(nowhere + "/a") }
    try writeAtomically([1], to: folder.path("file"))
    #expect(throws: FileError.noDirectory(path: folder.path("file"), of: folder.path("file/a"))) {
      try requireWritable(folder.path("file/a"))
    }
    #expect(folder.entries == ["file"])
  }

  @Test func failedWriteLeavesTheOldFileAndNoTemporary() throws {
    struct Stop: Error {}
    let path = folder.path("a.bin")
    try writeAtomically([1], to: path)
    #expect(throws: Stop.self) {
      try writeAtomically(to: path) { temporary in
        try Data([2]).write(to: URL(fileURLWithPath: temporary))
        throw Stop()
      }
    }
    let file = try MappedFile(path: path)
    #expect(withExtendedLifetime(file) { Array(file.bytes) } == [1])
    #expect(folder.entries == ["a.bin"])
  }

  @Test func writerAppendsAndNeverOverwrites() throws {
    let path = folder.path("a.bin")
    let writer = try FileWriter(creating: path)
    for bytes in [[1, 2], [], [3]] as [[UInt8]] { try writer.write(bytes) }
    #expect(writer.count == 3)
    #expect(try FileReader(path: path).read(at: 0, count: 3) == [1, 2, 3])
    #expect(throws: FileError.system(.open, path: path, code: EEXIST)) { try FileWriter(creating: path) }
  }

  @Test func directoryIsExchangedAsAWhole() throws {
    let path = folder.path("bundle")
    for name in ["old", "new"] {
      try writeDirectoryAtomically(at: path) { try writeAtomically(name.utf8, to: "\($0)/\(name)") }
    }
    #expect(folder.entries == ["bundle"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["new"])
  }

  /// Expected digests: FIPS 180-2, appendix B, and `sha256sum /dev/null`.
  @Test(arguments: [
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
  ])
  func digestOfAFile(text: String, expected: String) throws {
    let path = folder.path("a.txt")
    try writeAtomically(text.utf8, to: path)
    #expect(try sha256(ofFile: path) == expected)
  }

  @Test func missingFileDirectoryAndRangeAreTypedErrors() throws {
    #expect(throws: FileError.system(.open, path: "/nowhere/x", code: ENOENT)) { try MappedFile(path: "/nowhere/x") }
    #expect(throws: FileError.notARegularFile(path: folder.root)) { try FileReader(path: folder.root) }
    let path = folder.path("a.bin")
    try writeAtomically([1, 2], to: path)
    let reader = try FileReader(path: path)
    for (offset, count) in [(1, 2), (3, 0), (-1, 1), (0, -1), (0, Int.max), (Int.max, Int.max)] {
      #expect(throws: FileError.endOfFile(path: path, offset: offset, count: count, size: 2)) {
        try reader.read(at: offset, count: count)
      }
    }
  }

  @Test func emptyFileMapsToNoBytes() throws {
    let path = folder.path("empty")
    try writeAtomically([], to: path)
    #expect(try MappedFile(path: path).count == 0)
  }

  @Test func chunksCoverTheFile() throws {
    let path = folder.path("a.bin")
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
    try writeAtomically(bytes, to: path)
    let next = try FileReader(path: path).chunks(of: 300)
    var all: [[UInt8]] = []
    while let chunk = try next() { all.append(chunk) }
    #expect(all.map(\.count) == [300, 300, 300, 100])
    #expect(all.flatMap(\.self) == bytes)
  }
}

/// A folder that lives as long as the test that made it.
final class TemporaryFolder: Sendable {
  let root = NSTemporaryDirectory() + "gambit-files-" + UUID().uuidString

  init() { try? FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: root) }

  func path(_ name: String) -> String { "\(root)/\(name)" }
  var entries: [String] { (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [] }
}
