import ActivationStatistics
import Checkpoints

/// Translates thresholds between gate activations and their ratio to the greatest one of the token: each channel is kept
/// of as many tokens of the text as before, though not always of the same ones. Inside a bin values count as evenly spread.
extension GateHistograms {
  /// Thresholds on `|g_c| / max |g|` for thresholds on `|g_c|`, `[channels]`; infinity stays infinity. All others are at most
  /// 1, so that a channel which the text never reached is kept where it is the greatest.
  ///
  /// - Complexity: O(channels · bins).
  public func ratios(keepingAsOftenAs thresholds: [Float], _ activation: GateActivation) -> [Float] {
    translate(thresholds, from: (magnitudes, activation), to: (ratios, nil))
      .map { $0 == .infinity ? $0 : min($0, 1) }
  }

  /// Thresholds on `|g_c|` for thresholds on `|g_c| / max |g|`, `[channels]`.
  ///
  /// - Complexity: O(channels · bins).
  public func magnitudes(keepingAsOftenAs ratioThresholds: [Float], _ activation: GateActivation) -> [Float] {
    translate(ratioThresholds, from: (ratios, nil), to: (magnitudes, activation))
  }

  /// The share of tokens whose ratio reaches the threshold, averaged over channels.
  public func shareKept(ratioThresholds: [Float]) -> Double {
    1 - scores(ratios, nil).shareDropped(ratioThresholds)
  }

  /// The threshold of CATS (arXiv 2404.08763): the quantile of `|g|` over all channels and tokens.
  public func catsThreshold(sparsity: Double, _ activation: GateActivation) -> Float {
    scores(magnitudes, activation).thresholds(sparsity: sparsity)[0]
  }

  private typealias Histogram = (counts: [Int64], activation: GateActivation?)

  private func translate(_ thresholds: [Float], from source: Histogram, to target: Histogram) -> [Float] {
    precondition(thresholds.count == channels)
    let known = scores(source.counts, source.activation)
    return thresholds.enumerated().map { channel, threshold in
      guard threshold > 0, threshold < .infinity else { return threshold }
      let row = channel * LogarithmicBins.count..<(channel + 1) * LogarithmicBins.count
      let total = Double(source.counts[row].reduce(0, +))
      guard total > 0 else { return 0 }
      let dropped = known.count(of: channel, below: Double(threshold)) / total
      let counts = Array(target.counts[row])
      // What no token reached stays finite: another text may.
      guard dropped < 1 else { return Self.end(of: counts) }
      return PooledScores(counts: counts, scales: [1], gateActivation: target.activation).thresholds(sparsity: dropped)[
        0]
    }
  }

  /// The least edge that all values lie below; the last bin, which has none, counts as wide as it begins.
  private static func end(of counts: [Int64]) -> Float {
    let last = counts.lastIndex { $0 > 0 } ?? 0
    let edge = LogarithmicBins.edges[last + 1]
    return Float(edge < .infinity ? edge : 2 * LogarithmicBins.edges[last])
  }

  private func scores(_ counts: [Int64], _ activation: GateActivation?) -> PooledScores {
    PooledScores(counts: counts, scales: [Double](repeating: 1, count: channels), gateActivation: activation)
  }
}
