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
    case flush = "flush to disk"
    case createDirectory = "create the directory"
  }

  /// A system call failed; `code` is its `errno`.
  case system(Operation, path: String, code: Int32)

  /// A directory, pipe or device stands where a regular file is needed.
  case notARegularFile(path: String)

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
    case .inUse(let path, let owner):
      return "'\(path)' is in use by \(owner): wait until it ends, or choose another place"
    case .endOfFile(let path, let offset, let count, let size):
      return "'\(path)' ends at byte \(size), but \(count) bytes at offset \(offset) are needed: it may be truncated"
    }
  }
}
