#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A regular file mapped read-only into memory: pages are read when first touched and can be
/// dropped by the system at any time, so that a file larger than memory can be walked.
///
///     let file = try MappedFile(path: "model.gguf")
///     file.count  // size in bytes when it was opened
///
/// The mapping shows the file as it is on disk. Whoever truncates it meanwhile makes the process
/// receive `SIGBUS`; replace files by renaming (see ``writeAtomically(to:_:)``) and this cannot happen.
public final class MappedFile: Sendable {
  /// The path as given.
  public let path: String

  /// The size in bytes.
  public let count: Int

  nonisolated(unsafe) private let base: UnsafeMutableRawPointer?

  /// - Throws: ``FileError`` where the file cannot be opened or mapped, or is not a regular file.
  /// - Complexity: O(1).
  public init(path: String) throws(FileError) {
    let descriptor = try FileDescriptor(path: path, flags: O_RDONLY | O_NONBLOCK)
    let size = try descriptor.regularFileSize()
    self.path = path
    count = size
    guard size > 0 else {
      base = nil
      return
    }
    guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor.number, 0), address != MAP_FAILED else {
      throw .system(.map, path: path, code: errno)
    }
    base = address
  }

  deinit { if let base { munmap(base, count) } }

  /// Reads a part into the system's cache, so that touching it later does not wait for the disk. Whether it is read at
  /// once, later or not at all is the system's choice.
  package func prefetch(_ range: Range<Int>) { advise(range, MADV_WILLNEED) }

  /// Takes a part out of the process' memory. It stays in the system's cache, where there is room, and is there again when
  /// it is touched.
  package func release(_ range: Range<Int>) { advise(range, MADV_DONTNEED) }

  private func advise(_ range: Range<Int>, _ advice: CInt) {
    let page = Int(sysconf(CInt(_SC_PAGESIZE)))
    let (start, end) = (range.lowerBound / page * page, min(range.upperBound, count))
    guard let base, start < end else { return }
    madvise(base + start, end - start, advice)
  }

  /// The file's bytes. Only valid while the object is alive: hold it, or use `withExtendedLifetime`.
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}
