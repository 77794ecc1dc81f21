#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Why a file could not be used. Its text is one sentence: what failed, where, and the system's reason.
public enum FileError: Error, Equatable, Sendable {
  /// What was being done when the system refused.
  public enum Operation: String, Sendable {
    case open, read, write, map, rename, remove, lock
    case inspect = "read the attributes of"
    case list = "list the entries of"
    case create = "create files in"
    case flush = "flush to disk"
    case createDirectory = "create the directory"
  }

  /// A system call failed; `code` is its `errno`.
  case system(Operation, path: String, code: Int32)

  /// A directory, pipe or device stands where a regular file is needed.
  case notARegularFile(path: String)

  /// A file is to be written where a directory stands.
  case isADirectory(path: String)

  /// Something is to be written into a directory that is not there.
  case noDirectory(path: String, of: String)

  /// Another process works on it.
  case inUse(path: String, by: String)

  /// A range beyond the end of the file was asked for, or the file became shorter while being read.
  case endOfFile(path: String, offset: Int, count: Int, size: Int)
}

extension FileError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .system(let operation, let path, let code):
      return "cannot \(operation.rawValue) '\(path)': \(String(cString: strerror(code)))"
    case .notARegularFile(let path):
      return "'\(path)' is not a regular file: give the path of a file, not of a directory, pipe or device"
    case .isADirectory(let path):
      return "'\(path)' is a directory: give the path of a file to write"
    case .noDirectory(let path, let target):
      return "there is no directory '\(path)' to write '\(target)' into: make it, or give another path"
    case .inUse(let path, let owner):
      return "'\(path)' is in use by \(owner): wait until it ends, or choose another place"
    case .endOfFile(let path, let offset, let count, let size):
      return "'\(path)' ends at byte \(size), but \(count) bytes at offset \(offset) are needed: it may be truncated"
    }
  }
}
