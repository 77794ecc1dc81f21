import ActivationStatistics

/// The baselines that skip inputs of projections in place of channels: each projection leaves out those of its own
/// inputs whose score is below a quantile, over all channels and tokens, and their weight columns are not read. No
/// factor of the FFN decides.
///
/// - Without column norms, `magnitude`: TEAL (Liu et al. 2024, arXiv 2408.14690) with the same share at every place. The
///   score is `|x_j|`, so that one threshold serves a place, and the same one all projections that read the same input.
/// - With column norms, `wina`: WINA (Chen et al. 2025, arXiv 2505.19427). The score of input `j` is `|x_j|·‖W[:,j]‖₂`
///   of the projection `W` that reads it, so that its threshold is `τ / ‖W[:,j]‖₂` with `τ` the quantile of the scores,
///   and projections that read the same input have masks of their own. Two things differ from the paper: it keeps the
///   largest scores of each token, a fixed number, and first transforms weights so that their columns are orthogonal.
struct InputCuts {
  private let query: PooledScores
  private let key: PooledScores
  private let value: PooledScores
  private let output: PooledScores
  private let gate: PooledScores
  private let up: PooledScores
  private let down: PooledScores
  private let intermediateSize: Int
  private let hasNorms: Bool

  /// - Parameter norms: `nil` for scores that do not weigh columns.
  /// - Complexity: O(channels · bins).
  init(_ layer: LayerStatistics, norms: ColumnNorms?) {
    func scores(_ counts: [Int64], _ norms: [Double]?) -> PooledScores {
      let scales = norms ?? [Double](repeating: 1, count: counts.count / LogarithmicBins.count)
      return PooledScores(counts: counts, scales: scales, gateActivation: nil)
    }
    query = scores(layer.attentionInputCount, norms?.query)
    key = scores(layer.attentionInputCount, norms?.key)
    value = scores(layer.attentionInputCount, norms?.value)
    output = scores(layer.outputInputCount, norms?.output)
    gate = scores(layer.ffnInputCount, norms?.gate)
    up = scores(layer.ffnInputCount, norms?.up)
    down = scores(layer.productCount, norms?.down)
    intermediateSize = layer.productCount.count / LogarithmicBins.count
    hasNorms = norms != nil
  }

  /// - Parameters:
  ///   - sparsity: The share to drop at each place, 0 to 1.
  ///   - attention: Whether query, key, value and output projections are cut, too.
  /// - Complexity: O(channels).
  func thresholds(sparsity: Double, attention: Bool) -> Thresholds.Layer {
    func solve(_ scores: PooledScores) -> [Float] {
      let each = scores.thresholds(sparsity: sparsity)
      return hasNorms ? each : Array(each.prefix(1))
    }
    return Thresholds.Layer(
      ffn: [Float](repeating: 0, count: intermediateSize), query: attention ? solve(query) : nil,
      key: attention ? solve(key) : nil, value: attention ? solve(value) : nil,
      output: attention ? solve(output) : nil, product: solve(down), input: solve(gate), otherInput: solve(up))
  }
}
