/// What a token keeps in one layer: one flag a channel.
public struct KeptChannels: Sendable, Equatable {
  public var ffn: [Bool]  // [intermediateSize]
  public var query: [Bool]?  // [hiddenSize]; nil where the query projection is dense
  public var output: [Bool]?  // [queryWidth]; nil where the output projection is dense

  public init(ffn: [Bool], query: [Bool]? = nil, output: [Bool]? = nil) {
    self.ffn = ffn
    self.query = query
    self.output = output
  }
}

/// Who decides what a token keeps.
public enum KeepRule: Sendable {
  /// Everything is kept.
  case dense
  /// A channel is kept where its magnitude reaches its threshold.
  case thresholds
  /// What was recorded elsewhere is kept, one entry a layer; where thresholds would have decided
  /// otherwise, the decoder notes a disagreement.
  case recorded([KeptChannels])
}

/// A decision that thresholds would have made differently from the recorded one.
public struct Disagreement: Sendable, Equatable {
  public let layer: Int
  public let channel: Int
  public let magnitude: Float
  public let threshold: Float

  /// How far the magnitude is from the threshold, as a share of it: tiny where only the rounding of
  /// two ways to add differs.
  public var margin: Float { (magnitude - threshold).magnitude / max(threshold, .leastNormalMagnitude) }
}
