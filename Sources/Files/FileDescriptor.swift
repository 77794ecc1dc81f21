#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Owns one open descriptor and closes it. The only place that calls `open`.
final class FileDescriptor: Sendable {
  let number: Int32
  let path: String

  init(path: String, flags: Int32) throws(FileError) {
    number = open(path, flags | O_CLOEXEC, 0o666)
    self.path = path
    guard number >= 0 else { throw .system(.open, path: path, code: errno) }
  }

  deinit { if number >= 0 { close(number) } }

  /// The size in bytes of the regular file behind the descriptor.
  func regularFileSize() throws(FileError) -> Int {
    var status = stat()
    guard fstat(number, &status) == 0 else { throw .system(.inspect, path: path, code: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notARegularFile(path: path) }
    return Int(status.st_size)
  }

  func flush() throws(FileError) {
    guard fsync(number) == 0 else { throw .system(.flush, path: path, code: errno) }
  }
}
