import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Keeps other processes out of what a file stands for, as long as this object lives. The system gives up the lock of a
/// process that ends, however it does.
///
///     let lock = try FileLock(path: output + "/.lock", of: output)
///     defer { withExtendedLifetime(lock) {} }
public final class FileLock: Sendable {
  private let path: String
  private let descriptor: FileDescriptor

  /// - Parameter name: What messages call the thing.
  /// - Throws: ``FileError/inUse(path:by:)`` where another process, or another object of this one, has it.
  public init(path: String, of name: String) throws(FileError) {
    self.path = path
    while true {
      let opened = try FileDescriptor(path: path, flags: O_RDWR | O_CREAT)
      guard flock(opened.number, LOCK_EX | LOCK_NB) == 0 else {
        guard errno == EWOULDBLOCK else { throw .system(.lock, path: path, code: errno) }
        throw .inUse(path: name, by: Self.owner(opened))
      }
      // Its owner may have removed the file between the two calls, so that the lock is of none that others find.
      guard Self.isSame(opened, path) else { continue }
      descriptor = opened
      break
    }
    Unfinished.begin(path)
    let time = ISO8601DateFormatter().string(from: Date())
    let owner = "process \(getpid()) on \(ProcessInfo.processInfo.hostName) since \(time)"
    _ = ftruncate(descriptor.number, 0)
    _ = owner.withCString { pwrite(descriptor.number, $0, strlen($0), 0) }
  }

  deinit { Unfinished.abandon(path) }

  private static func owner(_ descriptor: FileDescriptor) -> String {
    var bytes = [UInt8](repeating: 0, count: 200)
    // It writes its name as soon as it has the lock.
    for _ in 0..<20 {
      let count = pread(descriptor.number, &bytes, bytes.count, 0)
      if count > 0 { return String(decoding: bytes.prefix(count), as: UTF8.self) }
      usleep(5000)
    }
    return "another process"
  }

  private static func isSame(_ descriptor: FileDescriptor, _ path: String) -> Bool {
    var (opened, named) = (stat(), stat())
    return fstat(descriptor.number, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino
      && opened.st_dev == named.st_dev
  }
}
