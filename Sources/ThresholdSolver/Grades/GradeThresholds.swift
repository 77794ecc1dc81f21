import Foundation

/// Where the grades of a place lie: below `half` nothing of a channel is read, from `full` on all bits, in between the
/// high plane alone. One a channel; `half ≤ full`.
public struct GradeThresholds: Sendable, Equatable {
  public var half: [Float]
  public var full: [Float]

  public init(half: [Float], full: [Float]) {
    self.half = half
    self.full = full
  }

  /// All bits of everything are read.
  static func everything(channels: Int) -> Self {
    let zeros = [Float](repeating: 0, count: channels)
    return Self(half: zeros, full: zeros)
  }
}

/// The shares of channels or inputs that end in each grade.
public struct GradeShares: Sendable, Equatable {
  public var dropped: Double
  public var full: Double

  public var half: Double { 1 - dropped - full }
}

extension Thresholds.Shares {
  /// The grades of each place that is graded; `nil` where weights are read whole or not at all.
  public var grades: GradedPlaces<GradeShares>? {
    guard let full else { return nil }
    func grades(_ place: Thresholds.Place) -> GradeShares? {
      guard let dropped = self[place], let full = full[place] else { return nil }
      return GradeShares(dropped: dropped, full: full)
    }
    return GradedPlaces(
      ffn: GradeShares(dropped: ffn, full: full.ffn), query: grades(.query), key: grades(.key), value: grades(.value),
      output: grades(.output))
  }
}

/// Finds the price λ of a byte at which `share(λ)`, which falls as λ grows, is as near to `target` as it comes from below.
///
/// - Complexity: 40 calls, which find λ to 10⁻⁹ of itself.
func priceOfBytes(atShare target: Double, share: (_ price: Double) -> Double) -> Double {
  // Costs are squares of products of activations: float32's exponents four times over bound their logarithm.
  var (low, high) = (-256.0, 256.0)
  for _ in 0..<40 {
    let middle = (low + high) / 2
    if share(exp2(middle)) > target { low = middle } else { high = middle }
  }
  return exp2(high)
}
