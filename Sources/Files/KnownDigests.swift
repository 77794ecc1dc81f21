import Crypto
import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Digests of large files that were hashed before, so that each of many jobs over one model need not read all of it.
///
/// A file is the same while it has the same device, inode, size and times of change, which is what Git and Make go by;
/// the time of the inode's own change cannot be set on a local disk, so that a file that was written over is noticed
/// whatever its times were set to. What was changed just before it was hashed is not remembered: clocks of file systems
/// are coarse. Where another node mounts a file system under another device number, a file is hashed once more.
public struct KnownDigests: Sendable {
  /// `nil` where nothing is remembered.
  private let directory: String?
  /// Bytes; smaller files are hashed each time.
  private let smallest: Int
  /// Seconds since a file's last change before it is remembered.
  private let settling: Double

  public static func standard() -> KnownDigests { KnownDigests(cache: CacheFolder.standard()) }

  /// - Parameter cache: The folder in which what can be made again is kept.
  init(cache: String?, smallest: Int = 64_000_000, settling: Double = 10) {
    directory = cache.map { $0 + "/digests" }
    self.smallest = smallest
    self.settling = settling
  }

  /// The SHA-256 of a file's bytes, as `sha256(ofFile:)` has it.
  ///
  /// - Throws: ``FileError`` where the file cannot be read.
  /// - Complexity: O(the file's size) the first time, then O(1).
  public func sha256(ofFile path: String) throws(FileError) -> String {
    guard let directory, let before = FileIdentity(path), before.size >= smallest else {
      return try Files.sha256(ofFile: path)
    }
    let entry = "\(directory)/\(before.key)"
    if let known = try? String(contentsOfFile: entry, encoding: .utf8), known.count == 64 { return known }
    let begun = Date().timeIntervalSince1970  // hashing a large file takes longer than clocks are coarse
    let digest = try Files.sha256(ofFile: path)
    // A cache that cannot be written costs time, and nothing else.
    if FileIdentity(path) == before, begun - before.lastChange > settling {
      try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      try? writeAtomically(digest.utf8, to: entry)
    }
    return digest
  }

  /// Forgets everything.
  public func clear() {
    if let directory { try? FileManager.default.removeItem(atPath: directory) }
  }
}

/// What tells a file from others, and from itself before it was changed.
private struct FileIdentity: Equatable {
  let size: Int
  /// In seconds since 1970.
  let lastChange: Double
  private let numbers: [Int]

  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    #if canImport(Glibc)
      let times = [status.st_mtim, status.st_ctim]
    #else
      let times = [status.st_mtimespec, status.st_ctimespec]
    #endif
    size = Int(status.st_size)
    lastChange = times.map { Double($0.tv_sec) + Double($0.tv_nsec) * 1e-9 }.max() ?? 0
    numbers =
      [Int(status.st_dev), Int(status.st_ino), size] + times.flatMap { [Int($0.tv_sec), Int($0.tv_nsec)] }
  }

  var key: String {
    SHA256.hash(data: Data(numbers.map(String.init).joined(separator: " ").utf8)).hexadecimal
  }
}
