/// A mean and how far chance may have moved it.
public struct Estimate: Sendable, Equatable {
  public var mean: Double
  /// `nil` of fewer than two clusters.
  public var standardError: Double?

  public init(mean: Double, standardError: Double?) {
    self.mean = mean
    self.standardError = standardError
  }

  /// The mean of independent estimates, each weighing the same; without a standard error where one of them has none.
  public init(meanOf estimates: [Estimate]) {
    let count = Double(max(estimates.count, 1))
    let errors = estimates.compactMap(\.standardError)
    mean = estimates.reduce(0) { $0 + $1.mean } / count
    standardError =
      errors.count == estimates.count ? errors.reduce(0) { $0 + $1 * $1 }.squareRoot() / count : nil
  }

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
