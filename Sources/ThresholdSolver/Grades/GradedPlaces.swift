/// One value for each place that weights in planes are graded at: the FFN's channels, by their score, and the inputs of
/// attention's projections, by their magnitude. A place that is read whole has none.
public struct GradedPlaces<Value: Sendable>: Sendable {
  public var ffn: Value
  public var query: Value?
  public var key: Value?
  public var value: Value?
  public var output: Value?

  public init(ffn: Value, query: Value? = nil, key: Value? = nil, value: Value? = nil, output: Value? = nil) {
    self.ffn = ffn
    self.query = query
    self.key = key
    self.value = value
    self.output = output
  }

  /// `nil` where nothing is graded.
  public subscript(_ place: Thresholds.Place) -> Value? {
    switch place {
    case .ffn: ffn
    case .query: query
    case .key: key
    case .value: value
    case .output: output
    case .down, .input, .otherInput: nil
    }
  }

  /// The same for each place that has a value.
  public func map<Other>(_ transform: (Value) throws -> Other) rethrows -> GradedPlaces<Other> {
    GradedPlaces<Other>(
      ffn: try transform(ffn), query: try query.map(transform), key: try key.map(transform),
      value: try value.map(transform), output: try output.map(transform))
  }
}

extension GradedPlaces: Equatable where Value: Equatable {}
extension GradedPlaces: Codable where Value: Codable {}
