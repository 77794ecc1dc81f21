import SparseBundle
import ThresholdSolver

extension SparseEngine {
  /// A token's bytes at a mean position, from what thresholds decided so far: weights, and the cache of keys and
  /// values. The sparse figure is the dense one where nothing was decided.
  public func bytesPerToken(position: Double) -> TokenBytes {
    let shares = decided.ffn.seen > 0 ? [Thresholds.Shares](repeating: decided.shares, count: layers.count) : []
    var bytes = TokenBytes(configuration, weightType, shares: shares, thresholds)
    let cache = 2 * Double(layers.count * configuration.keyValueWidth * MemoryLayout<Float>.size) * position
    bytes.dense += cache
    bytes.sparse += cache
    return bytes
  }
}
