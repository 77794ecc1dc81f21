#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A new file written front to back, without a buffer of its own: hand it pieces of some size.
///
///     try writeAtomically(to: "weights.safetensors.zst") { temporary in
///       let file = try FileWriter(creating: temporary)
///       try file.write(header)
///     }
///
/// The file is closed with the object. Not to be used from two threads at once.
public final class FileWriter {
  /// The path as given.
  public let path: String

  /// Bytes written so far.
  public private(set) var count = 0

  private let descriptor: FileDescriptor

  /// - Throws: ``FileError`` where the file cannot be created or exists already.
  public init(creating path: String) throws(FileError) {
    descriptor = try FileDescriptor(path: path, flags: O_WRONLY | O_CREAT | O_EXCL)
    self.path = path
  }

  /// Appends bytes.
  public func write(_ bytes: [UInt8]) throws(FileError) {
    var failure: FileError?
    bytes.withUnsafeBytes { buffer in
      do throws(FileError) { try write(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Appends bytes.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = UnsafeRawBufferPointer(rebasing: rest)
      #if canImport(Glibc)
        let written = Glibc.write(descriptor.number, piece.baseAddress, piece.count)
      #else
        let written = Darwin.write(descriptor.number, piece.baseAddress, piece.count)
      #endif
      if written >= 0 {
        rest = rest.dropFirst(written)
        count += written
      } else if errno != EINTR {
        throw .system(.write, path: path, code: errno)
      }
    }
  }
}
