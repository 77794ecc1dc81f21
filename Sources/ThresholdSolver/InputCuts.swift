import ActivationStatistics

/// The baselines that skip inputs of projections in place of channels: each projection leaves out those of its own
/// inputs whose score is below a quantile, over all channels and tokens, and their weight columns are not read. No
/// factor of the FFN decides.
///
/// - Without column norms, `magnitude`: TEAL (Liu et al. 2024, arXiv 2408.14690). The score is `|x_j|`, so that one
///   threshold serves a place; at one share the same one serves all projections that read the same input.
/// - With column norms, `wina`: WINA (Chen et al. 2025, arXiv 2505.19427). The score of input `j` is `|x_j|·‖W[:,j]‖₂`
///   of the projection `W` that reads it, so that its threshold is `τ / ‖W[:,j]‖₂` with `τ` the quantile of the scores,
///   and projections that read the same input have masks of their own. Two things differ from the paper: it keeps the
///   largest scores of each token, a fixed number, and first transforms weights so that their columns are orthogonal.
public struct InputCuts: Sendable {
  private let scores: [Thresholds.Place: PooledScores]
  private let intermediateSize: Int
  private let hasNorms: Bool

  /// - Parameter norms: `nil` for scores that do not weigh columns.
  /// - Complexity: O(channels · bins).
  public init(_ layer: LayerStatistics, norms: ColumnNorms?) {
    func scores(_ counts: [Int64], _ norms: [Double]?) -> PooledScores {
      let scales = norms ?? [Double](repeating: 1, count: counts.count / LogarithmicBins.count)
      return PooledScores(counts: counts, scales: scales, gateActivation: nil)
    }
    self.scores = [
      .query: scores(layer.attentionInputCount, norms?.query),
      .key: scores(layer.attentionInputCount, norms?.key),
      .value: scores(layer.attentionInputCount, norms?.value),
      .output: scores(layer.outputInputCount, norms?.output),
      .input: scores(layer.ffnInputCount, norms?.gate),
      .otherInput: scores(layer.ffnInputCount, norms?.up),
      .down: scores(layer.productCount, norms?.down),
    ]
    intermediateSize = layer.productCount.count / LogarithmicBins.count
    hasNorms = norms != nil
  }

  /// Thresholds on the input of one projection: `[1]`, or one a channel where columns are weighed.
  ///
  /// - Parameter share: What to leave out, 0 to 1.
  /// - Precondition: `place` is an input.
  /// - Complexity: O(channels).
  public func thresholds(_ place: Thresholds.Place, share: Double) -> [Float] {
    guard let each = scores[place]?.thresholds(sparsity: share) else {
      preconditionFailure("no projection reads '\(place.rawValue)'")
    }
    return hasNorms ? each : Array(each.prefix(1))
  }

  /// - Parameter shares: What to leave out of each input; projections that are not named read all of theirs.
  /// - Complexity: O(channels).
  public func thresholds(_ shares: InputShares) -> Thresholds.Layer {
    let cut = Dictionary(uniqueKeysWithValues: shares.map { ($0, thresholds($0, share: $1)) })
    return Thresholds.Layer(inputs: cut, intermediateSize: intermediateSize)
  }
}

/// The share to leave out of the input of each projection that is cut: `input` is the gate's, `otherInput` the up
/// projection's, `down` the product.
public typealias InputShares = [Thresholds.Place: Double]

extension InputShares {
  /// The same everywhere.
  public init(all share: Double, attention: Bool) {
    self.init(uniqueKeysWithValues: Thresholds.Place.inputs(attention: attention).map { ($0, share) })
  }
}

extension Thresholds.Layer {
  /// One that cuts inputs and keeps every channel.
  public init(inputs: [Thresholds.Place: [Float]], intermediateSize: Int) {
    self.init(
      ffn: [Float](repeating: 0, count: intermediateSize), query: inputs[.query], key: inputs[.key],
      value: inputs[.value], output: inputs[.output], product: inputs[.down], input: inputs[.input],
      otherInput: inputs[.otherInput])
  }
}

extension Thresholds.Place {
  /// The inputs that are cut, in the order in which a layer reads them.
  public static func inputs(attention: Bool) -> [Self] {
    (attention ? [.query, .key, .value, .output] : []) + [.input, .otherInput, .down]
  }
}
