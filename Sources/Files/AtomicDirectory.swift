import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Writes a whole directory so that others never see a part of it.
///
/// `write` is handed an empty directory beside `path`. Every file in it is then flushed to disk and
/// the directory renamed to `path`. One that stands there already is first renamed aside, and removed
/// at the end: between the two renames there is nothing at `path`, never a mixture.
///
/// - Throws: ``FileError``, or what `write` throws; the temporary directory is then removed.
/// - Returns: What `write` returns.
@discardableResult
public func writeDirectoryAtomically<Result>(
  at path: String, _ write: (_ temporaryPath: String) throws -> Result
) throws -> Result {
  let temporary = temporaryPath(beside: path)
  guard mkdir(temporary, 0o777) == 0 else { throw FileError.system(.createDirectory, path: temporary, code: errno) }
  defer { try? FileManager.default.removeItem(atPath: temporary) }
  let result = try write(temporary)
  guard let entries = FileManager.default.enumerator(atPath: temporary) else {
    throw FileError.system(.list, path: temporary, code: errno)
  }
  for case let entry as String in entries { try flushToDisk("\(temporary)/\(entry)") }
  try flushToDisk(temporary)
  try replace(path, by: temporary)
  return result
}

/// POSIX cannot rename over a directory that has entries, so the old one is moved aside first.
private func replace(_ path: String, by replacement: String) throws(FileError) {
  guard access(path, F_OK) == 0 else { return try rename(replacement, to: path) }
  let aside = temporaryPath(beside: path)
  try rename(path, to: aside)
  do {
    try rename(replacement, to: path)
  } catch {
    try rename(aside, to: path)
    throw error
  }
  try? FileManager.default.removeItem(atPath: aside)
}
