import CZstandard

/// Why compressed data could not be written or read.
public enum ZstandardError: Error, Equatable, Sendable {
  /// libzstd refused; the text is its own.
  case library(String)

  /// The data end within a frame.
  case truncated

  /// The data unpack to more than the caller allows.
  case tooLarge(limit: Int)

  /// The compression level is not one that libzstd has.
  case levelOutOfRange(Int, allowed: ClosedRange<Int>)

  /// The file does not end with a seek table.
  case notSeekable

  /// The seek table contradicts itself, the file or a frame.
  case badSeekTable(reason: String)

  /// The bytes asked for lie beyond the end.
  case rangeOutOfBounds(offset: Int, count: Int, size: Int)

  /// The writer has been finished already.
  case finished

  /// The file itself could not be read; the text says which and why.
  case file(String)
}

extension ZstandardError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .library(let message): "zstd says: \(message)"
    case .truncated: "the zstd data end within a frame: the file is truncated"
    case .tooLarge(let limit): "the zstd data unpack to more than the \(limit) bytes that are allowed here"
    case .levelOutOfRange(let level, let allowed):
      "zstd has no compression level \(level): choose one from \(allowed.lowerBound) to \(allowed.upperBound)"
    case .notSeekable: "the file does not end with a zstd seek table: it may be truncated or of another kind"
    case .badSeekTable(let reason): "the zstd seek table is damaged: \(reason)"
    case .rangeOutOfBounds(let offset, let count, let size):
      "\(count) bytes at \(offset) are needed, but the zstd data unpack to \(size) bytes"
    case .finished: "the zstd stream was finished already and takes no more bytes"
    case .file(let reason): reason
    }
  }
}

/// The result of a libzstd function, which is a size or an error in one number.
func check(_ result: Int) throws(ZstandardError) -> Int {
  guard ZSTD_isError(result) == 0 else {
    if ZSTD_getErrorCode(result) == ZSTD_error_srcSize_wrong { throw .truncated }
    throw .library(String(cString: ZSTD_getErrorName(result)))
  }
  return result
}
