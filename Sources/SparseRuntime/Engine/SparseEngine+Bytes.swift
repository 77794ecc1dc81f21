import SparseKernels

extension SparseEngine {
  /// Bytes that a step reads: weights, and the cache of keys and values.
  public struct TokenBytes: Sendable, Equatable {
    public var dense: Double
    /// Of the steps that were decoded sparsely; the dense figure where there were none.
    public var sparse: Double
  }

  /// A token's bytes at a mean position, from what thresholds decided so far.
  public func bytesPerToken(position: Double) -> TokenBytes {
    var (all, skipped) = (Double(bytesOfHead), 0.0)
    for layer in layers {
      let matrices = [layer.query, layer.key, layer.value, layer.output, layer.gate, layer.up, layer.down]
      all += matrices.reduce(0) { $0 + Double($1.rows * $1.rowBytes) }
      func bytes(_ matrix: WeightMatrix, _ share: Double) -> Double { share * Double(matrix.rows * matrix.rowBytes) }
      skipped += bytes(layer.query, decided.query.share) + bytes(layer.output, decided.output.share)
      skipped += bytes(layer.up, decided.ffn.share)
      skipped += bytes(layer.down, decided.down.seen > 0 ? decided.down.share : decided.ffn.share)
    }
    let cache = 2 * Double(layers.count * configuration.keyValueWidth * MemoryLayout<Float>.size) * position
    return TokenBytes(dense: all + cache, sparse: all + cache - skipped)
  }
}
