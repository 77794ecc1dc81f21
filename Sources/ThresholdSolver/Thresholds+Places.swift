extension Thresholds {
  /// Where thresholds cut, in the words of files and reports.
  public enum Place: String, Sendable, Codable, CaseIterable {
    case ffn, down, input
    case otherInput = "other_input"
    case query, key, value, output
  }
}

extension Thresholds.Shares {
  /// `nil` where nothing is cut.
  public subscript(_ place: Thresholds.Place) -> Double? {
    switch place {
    case .ffn: ffn
    case .down: down
    case .input: input
    case .otherInput: otherInput
    case .query: query
    case .key: key
    case .value: value
    case .output: output
    }
  }
}

extension Thresholds.Layer {
  /// `nil` where nothing is cut.
  public subscript(_ place: Thresholds.Place) -> [Float]? {
    switch place {
    case .ffn: ffn
    case .down: product
    case .input: input
    case .otherInput: otherInput
    case .query: query
    case .key: key
    case .value: value
    case .output: output
    }
  }
}
