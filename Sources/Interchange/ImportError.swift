/// Why thresholds of others could not be taken over. Each text is one sentence: what, where, what to do.
public enum ImportError: Error, Equatable, Sendable {
  case malformed(path: String, reason: String)
  /// The file is sound, but for another model.
  case otherShape(path: String, reason: String)
}

extension ImportError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .malformed(let path, let reason):
      "'\(path)' holds no thresholds of this format: \(reason)"
    case .otherShape(let path, let reason):
      "the thresholds of '\(path)' are for another model: \(reason); give the model that they were made for"
    }
  }
}
