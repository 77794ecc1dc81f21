import Foundation
import Testing

@testable import Files

struct KnownDigestsTests {
  private let folder = TemporaryFolder()

  private var digests: KnownDigests { KnownDigests(cache: folder.path("cache"), smallest: 100, settling: -1) }
  private var remembered: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder.path("cache/digests"))) ?? []
  }

  private func write(_ byte: UInt8, count: Int = 100) throws -> String {
    let path = folder.path("model.bin")
    try Data(repeating: byte, count: count).write(to: URL(filePath: path))
    return path
  }

  @Test func whatIsRememberedIsTheDigest() throws {
    let path = try write(1)
    #expect(try digests.sha256(ofFile: path) == sha256(ofFile: path))
    #expect(remembered.count == 1)
    // It is what is remembered, and not hashed again, that is given the second time.
    let entry = folder.path("cache/digests/\(remembered[0])")
    let other = String(repeating: "a", count: 64)
    try other.write(toFile: entry, atomically: true, encoding: .utf8)
    #expect(try digests.sha256(ofFile: path) == other)
    digests.clear()
    #expect(try digests.sha256(ofFile: path) == sha256(ofFile: path))
  }

  /// Of the same size, and with the time of change that it had before.
  @Test func whatWasWrittenOverIsHashedAgain() throws {
    let path = try write(1)
    let before = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate]
    let first = try digests.sha256(ofFile: path)
    usleep(20_000)
    let handle = try FileHandle(forWritingTo: URL(filePath: path))
    try handle.write(contentsOf: Data([2]))
    try handle.close()
    try FileManager.default.setAttributes([.modificationDate: before as Any], ofItemAtPath: path)
    #expect(try digests.sha256(ofFile: path) != first)
    #expect(try digests.sha256(ofFile: path) == sha256(ofFile: path))
  }

  @Test func smallOrFreshFilesAndThoseWithoutACacheAreNotRemembered() throws {
    let path = try write(1, count: 99)
    #expect(try digests.sha256(ofFile: path) == sha256(ofFile: path))
    let fresh = KnownDigests(cache: folder.path("cache"), smallest: 1, settling: 1000)
    #expect(try fresh.sha256(ofFile: path) == sha256(ofFile: path))
    #expect(try KnownDigests(cache: nil, smallest: 1, settling: -1).sha256(ofFile: path) == sha256(ofFile: path))
    #expect(remembered.isEmpty)
  }

  @Test func damagedEntriesAreNotBelieved() throws {
    let path = try write(1)
    _ = try digests.sha256(ofFile: path)
    try "short".write(toFile: folder.path("cache/digests/\(remembered[0])"), atomically: true, encoding: .utf8)
    #expect(try digests.sha256(ofFile: path) == sha256(ofFile: path))
  }
}
