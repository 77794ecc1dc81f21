import ActivationStatistics
import Checkpoints
import Foundation

/// The empirical distribution of scores `s = scale_i · |x_i|` over all channels and tokens of a
/// layer, from one histogram of `|x_i|` a channel. Inside a bin values count as evenly spread, but for
/// those near the fold of a gate activation.
struct PooledScores {
  private let scales: [Double]
  /// Values of a channel below each edge, `[channels, bins + 1]`.
  private let below: [Double]
  /// Values of all channels.
  let total: Double
  private let folded: FoldedDensity?

  /// - Parameters:
  ///   - counts: `[channels, bins]`
  ///   - scales: One a channel, finite and not negative. A channel of scale 0 has only scores of 0.
  ///   - gateActivation: Which one the magnitudes are of; `nil` where they are of another place.
  init(counts: [Int64], scales: [Double], gateActivation: GateActivation?) {
    let bins = LogarithmicBins.count
    precondition(counts.count == scales.count * bins)
    var below: [Double] = []
    below.reserveCapacity(scales.count * (bins + 1))
    var total = 0.0
    for channel in scales.indices {
      var sum = 0.0
      below.append(0)
      for bin in 0..<bins {
        sum += Double(counts[channel * bins + bin])
        below.append(sum)
      }
      total += sum
    }
    self.scales = scales
    self.below = below
    self.total = total
    folded = gateActivation.map(FoldedDensity.init)
  }

  /// Values of one channel with `|x| < t`.
  func count(of channel: Int, below t: Double) -> Double {
    let bins = LogarithmicBins.count
    let row = channel * (bins + 1)
    guard t < .infinity else { return below[row + bins] }
    let (bin, share) = position(of: channel, t)
    return below[row + bin] + share * (below[row + bin + 1] - below[row + bin])
  }

  /// The bin that holds a finite `t`, and the share of the channel's values in it that lie below `t`.
  func position(of channel: Int, _ t: Double) -> (bin: Int, share: Double) {
    let row = channel * (LogarithmicBins.count + 1)
    let bin = LogarithmicBins.bin(of: Float(t))
    return (bin, share(of: bin, below: t, count: below[row + bin + 1] - below[row + bin], row: row))
  }

  private func share(of bin: Int, below t: Double, count: Double, row: Int) -> Double {
    if let folded, folded.bins.contains(bin) {
      let reference = row + folded.reference
      return folded.share(of: bin, below: t, count: count, referenceCount: below[reference + 1] - below[reference])
    }
    let low = LogarithmicBins.edges[bin]
    let high = bin == LogarithmicBins.count - 1 ? 2 * low : LogarithmicBins.edges[bin + 1]
    return min(max((t - low) / (high - low), 0), 1)
  }

  /// The share of values whose channel's threshold they lie below: what a mask would drop.
  func shareDropped(_ thresholds: [Float]) -> Double {
    guard total > 0 else { return 0 }
    let dropped = thresholds.indices.reduce(0) { $0 + count(of: $1, below: Double(thresholds[$1])) }
    return dropped / total
  }

  /// One threshold a channel, `τ / scale`, where τ is the least score that a share of at least
  /// `sparsity` lies below. A sparsity of 0 keeps, and of 1 drops, everything.
  ///
  /// Complexity: O(channels), by bisection to float64's precision.
  func thresholds(sparsity: Double) -> [Float] {
    guard sparsity > 0 else { return scales.map { _ in 0 } }
    guard sparsity < 1 else { return scales.map { _ in .infinity } }
    let tau = quantile(sparsity)
    return scales.map { $0 > 0 ? Float(tau / $0) : .infinity }
  }

  private func quantile(_ share: Double) -> Double {
    // Scores are products of two activations: float32's exponents twice over bound their logarithm.
    var low = -256.0
    var high = 256.0
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if count(below: exp2(middle)) >= share * total { high = middle } else { low = middle }
    }
    return exp2(high)
  }

  private func count(below score: Double) -> Double {
    scales.indices.reduce(0) { sum, channel in
      sum + (scales[channel] > 0 ? count(of: channel, below: score / scales[channel]) : allOf(channel))
    }
  }

  private func allOf(_ channel: Int) -> Double { below[channel * (LogarithmicBins.count + 1) + LogarithmicBins.count] }
}
