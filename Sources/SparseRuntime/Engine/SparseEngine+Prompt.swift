import LinearAlgebra
import Transformer

// A prompt read densely goes through the layers as one matrix: each weight is read once for all tokens, instead of
// once for each.
extension SparseEngine {
  /// Below this, decoding token by token is faster than unpacking every layer to float32.
  static let smallestBatch = 48

  public func read(_ tokens: ArraySlice<Int32>, sparse: Bool) throws {
    guard !sparse, position == 0, tokens.count >= Self.smallestBatch else {
      for token in tokens { step(token, sparse: sparse) }
      return
    }
    precondition(tokens.count <= capacity)
    let pass = ForwardPass(configuration, longest: tokens.count, threads: 1)
    let states = try HiddenStates(lengths: [tokens.count], width: configuration.hiddenSize)
    let embedded = Matrix(rows: tokens.count, columns: configuration.hiddenSize)
    for (row, token) in tokens.enumerated() {
      embed(Int(token), into: UnsafeMutableBufferPointer(start: embedded.row(row), count: embedded.columns))
    }
    VectorMath.scale(embedded.base, by: configuration.embeddingScale, count: embedded.count)
    try states.store(0, from: embedded)
    for index in layers.indices {
      let tap = CacheTap(keys: state.keys[index], values: state.values[index])
      try pass.run(unpacked.layer(index), index: index, states, tap: tap)
    }
    position = tokens.count
  }
}

/// Copies keys and values into the cache.
private struct CacheTap: ActivationTap {
  let keys: Matrix
  let values: Matrix

  func keysAndValues(_ keys: Activations, _ values: Activations, _ context: TapContext) {
    for token in 0..<keys.tokens {
      self.keys.row(token).update(from: keys.row(token), count: keys.width)
      self.values.row(token).update(from: values.row(token), count: values.width)
    }
  }
}
