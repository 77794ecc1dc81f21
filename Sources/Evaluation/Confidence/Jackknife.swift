/// Standard errors of what is reckoned from a text, by leaving out one of its shards at a time: the grouped jackknife
/// (B. Efron, "The Jackknife, the Bootstrap and Other Resampling Plans", SIAM 1982, chapter 3), for shards that need
/// not be equally long.
///
///     let jackknife = Jackknife(tokens: [4096, 4096, 8192])
///     let error = jackknife.standardError(changes: without.map { $0 - whole })
///
/// Where `θ` is the mean over all tokens, `w_i` a shard's share of them and `x_i` its own mean,
///
///     stderr² = Σ w_i² (x_i − θ)² / (1 − Σ w_i²)
///
/// has the variance of `θ` as its expectation, if shards are independent of each other. Leaving out shard i changes `θ`
/// by `d_i = w_i (θ − x_i) / (1 − w_i)`, so that changes alone tell; of any other quantity that is smooth in the data
/// they tell the same in first order. `n` equal shards give the familiar `(n − 1)/n · Σ d_i²`.
public struct Jackknife: Sendable, Equatable {
  /// Each shard's share of all tokens, `[shards]`.
  public let weights: [Double]

  /// - Precondition: There are at least two shards, and none is empty.
  public init(tokens: [Int]) {
    precondition(tokens.count > 1 && tokens.allSatisfy { $0 > 0 })
    let total = Double(tokens.reduce(0, +))
    weights = tokens.map { Double($0) / total }
  }

  /// - Parameter changes: What leaving out each shard changes, `[shards]`.
  public func standardError(changes: [Double]) -> Double {
    standardError(parts: zip(weights, changes).map { (1 - $0) * $1 })
  }

  /// The same from how far each shard, left out, is from what the others say of it: `x_i − (θ + d_i)`, which is
  /// `(x_i − θ) / (1 − w_i)`.
  ///
  /// - Parameter surprises: `[shards]`
  public func standardError(surprises: [Double]) -> Double {
    standardError(parts: zip(weights, surprises).map { $0 * (1 - $0) * $1 })
  }

  /// - Parameter parts: `w_i (x_i − θ)`, whatever their sign.
  private func standardError(parts: [Double]) -> Double {
    let squares = parts.reduce(0) { $0 + $1 * $1 }
    return (squares / (1 - weights.reduce(0) { $0 + $1 * $1 })).squareRoot()
  }
}
