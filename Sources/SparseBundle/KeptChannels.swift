/// What a token keeps in one layer: one flag a channel.
public struct KeptChannels: Sendable, Equatable {
  /// Whether the deciding factor reaches its threshold: `|g|`, or `|u|` where the up projection decides.
  public var ffn: [Bool]  // [intermediateSize]
  /// Whether the product `|g·u|` of a channel that is kept so far reaches the second threshold.
  public var down: [Bool]?  // [intermediateSize]; nil where there is no second threshold
  /// Whether the rows that decide read an input of the FFN.
  public var input: [Bool]?  // [hiddenSize]; nil where they read them all
  public var query: [Bool]?  // [hiddenSize]; nil where the query projection is dense
  public var output: [Bool]?  // [queryWidth]; nil where the output projection is dense

  public init(ffn: [Bool], down: [Bool]? = nil, input: [Bool]? = nil, query: [Bool]? = nil, output: [Bool]? = nil) {
    self.ffn = ffn
    self.down = down
    self.input = input
    self.query = query
    self.output = output
  }
}
