import Foundation
import Testing

@testable import Files

/// What a process that ends before its time leaves, and locks.
struct UnfinishedTests {
  let folder = TemporaryFolder()

  /// No process has the number 0, and none on another machine can be asked.
  @Test(arguments: [false, true])
  func whatDeadProcessesLeftOfAFileIsRemovedWithTheNext(isFolder: Bool) throws {
    let path = folder.path("a.bin")
    let mine = Unfinished.name(beside: path)
    let process = "-\(ProcessInfo.processInfo.processIdentifier)-"
    #expect(mine.contains(process) && mine.hasSuffix(".partial"))
    let dead = mine.replacing(process, with: "-\(Int32.max)-")
    let foreign = dead.replacing("/.a.bin.", with: "/.a.bin.elsewhere")
    let other = dead.replacing("/.a.bin.", with: "/.b.bin.")
    for path in [mine, dead, foreign, other] {
      if isFolder {
        try FileManager.default.createDirectory(atPath: path + "/inside", withIntermediateDirectories: true)
      } else {
        try FileWriter(creating: path).write([1])
      }
    }
    try writeAtomically([2], to: path)
    #expect(Set(folder.entries) == Set(["a.bin"] + [mine, foreign, other].map { URL(filePath: $0).lastPathComponent }))
  }

  @Test func folderChangesNamesWithTheOneThatItReplaces() throws {
    let path = folder.path("bundle")
    for byte in [1, 2] as [UInt8] {
      try writeDirectoryAtomically(at: path) { try FileWriter(creating: $0 + "/\(byte)").write([byte]) }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["2"] && folder.entries == ["bundle"])
  }

  @Test func lockIsHeldUntilItsObjectEnds() throws {
    let path = folder.path(".lock")
    for _ in 0..<2 {
      let lock = try FileLock(path: path, of: "the run")
      let error = #expect(throws: FileError.self) { try FileLock(path: path, of: "the run") }
      let text = "\(try #require(error))"
      #expect(text.hasPrefix("'the run' is in use by process \(ProcessInfo.processInfo.processIdentifier) on "))
      #expect(text.hasSuffix("wait until it ends, or choose another place"))
      withExtendedLifetime(lock) {}
    }
    #expect(folder.entries.isEmpty)
  }

  /// A dead process' lock file stays, its lock does not.
  @Test func lockOfADeadProcessIsTakenOver() throws {
    let path = folder.path(".lock")
    try FileWriter(creating: path).write(Array("process \(Int32.max) on a machine of another name".utf8))
    let lock = try FileLock(path: path, of: "the run")
    let owner = try String(decoding: Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    #expect(owner.hasPrefix("process \(ProcessInfo.processInfo.processIdentifier) on ") && !owner.contains("another"))
    withExtendedLifetime(lock) {}
  }

  @Test func lockThatCannotBeMadeSaysWhy() {
    let path = folder.path("absent/.lock")
    #expect(throws: FileError.system(.open, path: path, code: ENOENT)) { try FileLock(path: path, of: "x") }
  }
}
