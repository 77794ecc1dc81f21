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
}

/// The shares of channels that end in each grade but the third.
struct GradeShares: Equatable {
  var dropped: Double
  var full: Double

  var half: Double { 1 - dropped - full }
}

/// Finds the price λ of a byte at which `share(λ)`, which falls as λ grows, is as near to `target` as it comes from below.
///
/// - Complexity: 60 calls.
func priceOfBytes(atShare target: Double, share: (_ price: Double) -> Double) -> Double {
  // Costs are squares of products of activations: float32's exponents four times over bound their logarithm.
  var (low, high) = (-256.0, 256.0)
  for _ in 0..<60 {
    let middle = (low + high) / 2
    if share(exp2(middle)) > target { low = middle } else { high = middle }
  }
  return exp2(high)
}
