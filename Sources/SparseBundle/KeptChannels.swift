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
