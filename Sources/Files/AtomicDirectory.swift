import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Writes a whole directory so that others never see a part of it.
///
/// `write` is handed an empty directory beside `path`. Every file in it is then flushed to disk and
/// the directory renamed to `path`. One that stands there already changes names with it, and is removed
/// at the end. Where the file system cannot exchange two names, it is first renamed aside: between the two renames there is
/// nothing at `path`, never a mixture.
///
/// - Throws: ``FileError``, or what `write` throws; the temporary directory is then removed.
/// - Returns: What `write` returns.
@discardableResult
public func writeDirectoryAtomically<Result>(
  at path: String, _ write: (_ temporaryPath: String) throws -> Result
) throws -> Result {
  let temporary = Unfinished.name(beside: path)
  Unfinished.begin(temporary)
  defer { Unfinished.abandon(temporary) }
  guard mkdir(temporary, 0o777) == 0 else { throw FileError.system(.createDirectory, path: temporary, code: errno) }
  let result = try write(temporary)
  guard let entries = FileManager.default.enumerator(atPath: temporary) else {
    throw FileError.system(.list, path: temporary, code: errno)
  }
  for case let entry as String in entries { try flushToDisk("\(temporary)/\(entry)") }
  try flushToDisk(temporary)
  try Unfinished.finish(temporary) { try replace(path, by: temporary) }
  return result
}

/// POSIX cannot rename over a directory that has entries.
private func replace(_ path: String, by replacement: String) throws(FileError) {
  guard access(path, F_OK) == 0 else { return try rename(replacement, to: path) }
  if exchange(replacement, path) { return try flushToDisk(folder(of: path)) }
  let aside = Unfinished.name(beside: path)
  try rename(path, to: aside)
  do {
    try rename(replacement, to: path)
  } catch {
    try rename(aside, to: path)
    throw error
  }
  try? FileManager.default.removeItem(atPath: aside)
}

/// Whether two names have been exchanged at once.
private func exchange(_ a: String, _ b: String) -> Bool {
  #if canImport(Glibc)
    // Glibc's module lacks it.
    typealias Call = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
    guard let symbol = dlsym(nil, "renameat2") else { return false }
    return unsafeBitCast(symbol, to: Call.self)(AT_FDCWD, a, AT_FDCWD, b, 2) == 0  // RENAME_EXCHANGE
  #else
    return renamex_np(a, b, UInt32(RENAME_SWAP)) == 0
  #endif
}
