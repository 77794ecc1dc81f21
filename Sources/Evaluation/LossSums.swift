/// What a model lost on the predicted tokens of one document.
public struct LossSums: Sendable, Equatable {
  /// Predicted tokens.
  public var tokens = 0
  /// Σ −log p(token).
  public var nll = 0.0
  /// Σ KL(dense‖this model) of the positions' distributions; 0 for the dense model.
  public var kl = 0.0
  /// Positions at which the most likely token is the dense model's.
  public var agreements = 0

  public init() {}

  mutating func add(_ other: LossSums) {
    tokens += other.tokens
    nll += other.nll
    kl += other.kl
    agreements += other.agreements
  }
}

/// A mean and how far chance may have moved it.
public struct Estimate: Sendable, Equatable {
  public var mean: Double
  /// `nil` of fewer than two clusters.
  public var standardError: Double?

  /// The mean of a sum's terms when terms of one cluster may depend on each other, but clusters do not: a ratio of
  /// totals, with the sandwich variance `C/(C − 1) · Σ_c (S_c − mean · n_c)² / N²` over `C` clusters of `n_c` terms
  /// that sum to `S_c`.
  ///
  /// - Complexity: O(clusters).
  public init(sums: [Double], counts: [Int]) {
    let total = Double(max(counts.reduce(0, +), 1))
    let mean = sums.reduce(0, +) / total
    self.mean = mean
    let clusters = Double(counts.count { $0 > 0 })
    guard clusters > 1 else { return }
    let squares = zip(sums, counts).reduce(0) { sum, cluster in
      let rest = cluster.0 - mean * Double(cluster.1)
      return sum + rest * rest
    }
    standardError = (clusters / (clusters - 1) * squares).squareRoot() / total
  }
}
