import ThresholdSolver

/// What a token keeps in one layer: one flag a channel.
public struct KeptChannels: Sendable, Equatable {
  /// Whether the deciding factor reaches its threshold: `|g|`, or `|u|` where the up projection decides, or the score
  /// `|ĝ·û|` where weights are graded.
  public var ffn: [Bool]  // [intermediateSize]
  /// Whether the product `|g·u|` of a channel that is kept so far reaches the second threshold.
  public var down: [Bool]?  // [intermediateSize]; nil where there is no second threshold
  /// Whether the rows that decide read an input of the FFN.
  public var input: [Bool]?  // [hiddenSize]; nil where they read them all
  public var query: [Bool]?  // [hiddenSize]; nil where the query projection is dense
  public var key: [Bool]?  // [hiddenSize]; nil where the key projection is dense
  public var value: [Bool]?  // [hiddenSize]; nil where the value projection is dense
  public var output: [Bool]?  // [queryWidth]; nil where the output projection is dense
  /// Of graded weights, what is read with all bits: channels and inputs that are kept, but are not among these, are read
  /// by their high planes alone. `nil` where what is kept is always read whole.
  public var full: GradedPlaces<[Bool]>?

  public init(
    ffn: [Bool], down: [Bool]? = nil, input: [Bool]? = nil, query: [Bool]? = nil, key: [Bool]? = nil,
    value: [Bool]? = nil, output: [Bool]? = nil, full: GradedPlaces<[Bool]>? = nil
  ) {
    self.ffn = ffn
    self.down = down
    self.input = input
    self.query = query
    self.key = key
    self.value = value
    self.output = output
    self.full = full
  }

  /// `nil` where nothing is decided.
  public subscript(_ place: Thresholds.Place) -> [Bool]? {
    switch place {
    case .ffn: ffn
    case .down: down
    case .input: input
    case .query: query
    case .key: key
    case .value: value
    case .output: output
    case .otherInput: nil
    }
  }

  /// How many decisions these are: of a graded channel or input two.
  public var count: Int {
    Thresholds.Place.allCases.reduce(0) { $0 + (self[$1]?.count ?? 0) + (full?[$1]?.count ?? 0) }
  }
}

extension KeptChannels {
  /// Whether decisions are exactly those that thresholds make, and nothing is read whole that is not kept.
  func isDecided(by thresholds: Thresholds.Layer) -> Bool {
    Thresholds.Place.allCases.allSatisfy { place in
      (self[place] != nil) == (thresholds[place] != nil)
        && (full?[place] != nil) == (thresholds.full?[place] != nil)
        && zip(self[place] ?? [], full?[place] ?? []).allSatisfy { $0 || !$1 }
    }
  }
}
