#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Writes a file so that others see either the whole new one or what was there before.
///
///     try writeAtomically(to: "artifacts/sample.h5") { temporary in
///       try HDF5File(creating: temporary)…
///     }
///
/// `write` is handed a path in the same folder, that does not exist yet, and must have closed the
/// file when it returns. The file is then flushed to disk, renamed to `path`, and the folder flushed.
///
/// - Throws: ``FileError``, or what `write` throws; the temporary file is then removed.
/// - Returns: What `write` returns.
@discardableResult
public func writeAtomically<Result>(
  to path: String, _ write: (_ temporaryPath: String) throws -> Result
) throws -> Result {
  let temporary = Unfinished.name(beside: path)
  Unfinished.begin(temporary)
  do {
    let result = try write(temporary)
    try flushToDisk(temporary)
    try Unfinished.finish(temporary) { try rename(temporary, to: path) }
    return result
  } catch {
    Unfinished.abandon(temporary)
    throw error
  }
}

/// Replaces the file at `path` by `bytes`, as ``writeAtomically(to:_:)`` does.
public func writeAtomically(_ bytes: some Collection<UInt8>, to path: String) throws {
  try writeAtomically(to: path) { try FileWriter(creating: $0).write(Array(bytes)) }
}

/// Flushes a file's, or a directory's, contents to the disk.
public func flushToDisk(_ path: String) throws(FileError) {
  try FileDescriptor(path: path, flags: O_RDONLY | O_NONBLOCK).flush()
}

/// Renames within one folder and makes the new name durable.
func rename(_ source: String, to path: String) throws(FileError) {
  guard rename(source, path) == 0 else { throw .system(.rename, path: path, code: errno) }
  try flushToDisk(folder(of: path))
}

/// Whether a file or directory can be written at `path`, before long work that would end in it.
///
/// - Throws: ``FileError`` where its directory is missing or not ours to write to, or where a file is wanted and a directory
///   stands.
public func requireWritable(_ path: String, asDirectory: Bool = false) throws(FileError) {
  let parent = folder(of: path)
  var status = stat()
  guard stat(parent, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
    throw .noDirectory(path: parent, of: path)
  }
  guard access(parent, W_OK | X_OK) == 0 else { throw .system(.create, path: parent, code: errno) }
  if !asDirectory, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { throw .isADirectory(path: path) }
}

/// The folder that a path lies in, as it is written: `.` where it names none.
package func folder(of path: String) -> String {
  let trimmed = path.count > 1 && path.hasSuffix("/") ? path.dropLast() : path[...]
  guard let slash = trimmed.lastIndex(of: "/") else { return "." }
  return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
}
