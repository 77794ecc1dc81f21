#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A regular file read by position. It has no cursor, so any number of threads may share it, and
/// a file that shrinks while it is read is an error, not a crash.
public final class FileReader: Sendable {
  /// The path as given.
  public let path: String

  /// The size in bytes when the file was opened.
  public let count: Int

  let descriptor: FileDescriptor

  /// - Throws: ``FileError`` where the file cannot be opened or is not a regular file.
  public init(path: String) throws(FileError) {
    descriptor = try FileDescriptor(path: path, flags: O_RDONLY | O_NONBLOCK)
    count = try descriptor.regularFileSize()
    self.path = path
  }

  /// Exactly `count` bytes from `offset`.
  ///
  /// - Throws: ``FileError/endOfFile(path:offset:count:size:)`` where the range is not inside the
  ///   file; this is checked before memory is taken.
  public func read(at offset: Int, count wanted: Int) throws(FileError) -> [UInt8] {
    guard offset >= 0, wanted >= 0, offset <= count, wanted <= count - offset else {
      throw .endOfFile(path: path, offset: offset, count: wanted, size: count)
    }
    var failure: FileError?
    let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
      filled = 0
      while filled < wanted {
        let got = pread(descriptor.number, buffer.baseAddress! + filled, wanted - filled, off_t(offset + filled))
        if got > 0 {
          filled += got
        } else if got == 0 {
          failure = .endOfFile(path: path, offset: offset, count: wanted, size: offset + filled)
          return
        } else if errno != EINTR {
          failure = .system(.read, path: path, code: errno)
          return
        }
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// A function that hands out the file front to back in pieces, and `nil` at its end.
  public func chunks(of size: Int = 1 << 18) -> () throws(FileError) -> [UInt8]? {
    var offset = 0
    return { [self] () throws(FileError) -> [UInt8]? in
      guard offset < count else { return nil }
      let chunk = try read(at: offset, count: min(size, count - offset))
      offset += chunk.count
      return chunk
    }
  }
}
