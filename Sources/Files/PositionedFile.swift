#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A file of raw bytes that is read and written by position. Threads may share it.
public final class PositionedFile: Sendable {
  private let descriptor: FileDescriptor

  /// Creates a file; one that exists already is an error.
  public init(creating path: String) throws(FileError) {
    descriptor = try FileDescriptor(path: path, flags: O_RDWR | O_CREAT | O_EXCL)
  }

  /// Opens a file for reading.
  public init(reading path: String) throws(FileError) {
    descriptor = try FileDescriptor(path: path, flags: O_RDONLY)
  }

  /// A nameless file for what does not fit in memory. It is unlinked as soon as it is open, so that
  /// the system frees its blocks when the process ends, however it ends.
  public init(scratchIn directory: String) throws(FileError) {
    let path = Unfinished.name(beside: "\(directory)/scratch")
    descriptor = try FileDescriptor(path: path, flags: O_RDWR | O_CREAT | O_EXCL)
    guard unlink(path) == 0 else { throw .system(.remove, path: path, code: errno) }
  }

  /// Writes all of `bytes` from `offset` on.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let count = pwrite(descriptor.number, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
      if count >= 0 {
        done += count
      } else if errno != EINTR {
        throw .system(.write, path: descriptor.path, code: errno)
      }
    }
  }

  /// Fills `bytes` from `offset` on.
  package func read(_ bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let count = pread(descriptor.number, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
      if count > 0 {
        done += count
      } else if count == 0 {
        throw .endOfFile(path: descriptor.path, offset: offset, count: bytes.count, size: offset + done)
      } else if errno != EINTR {
        throw .system(.read, path: descriptor.path, code: errno)
      }
    }
  }
}
