/// Why a gzip stream could not be read.
public enum GzipError: Error, Equatable, Sendable {
  /// zlib refused; the text is its own.
  case library(String)

  /// The data end within a member.
  case truncated

  /// What follows a member is neither another one nor zeros.
  case trailingBytes
}

extension GzipError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .library(let message): "zlib says: \(message)"
    case .truncated: "the gzip data end too early: the file is truncated"
    case .trailingBytes: "the gzip data are followed by bytes that are none: the file is damaged"
    }
  }
}
