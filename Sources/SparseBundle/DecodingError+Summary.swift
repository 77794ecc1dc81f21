extension DecodingError {
  /// Which key is wrong and how, in a few words for people.
  package var summary: String {
    func place(_ context: Context) -> String {
      let keys = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
      return keys.isEmpty ? "its top" : "'\(keys.joined(separator: "."))'"
    }
    switch self {
    case .keyNotFound(let key, let context): return "\(place(context)) has no '\(key.stringValue)'"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "\(place(context)) has a value of the wrong type"
    case .dataCorrupted(let context): return "\(place(context)) has a value that is not allowed"
    @unknown default: return "it cannot be decoded"
    }
  }
}
