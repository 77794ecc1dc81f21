import ActivationStatistics
import Foundation

/// What the next value dropped of one channel costs, as its threshold `t` rises: `E[(g·u)² | |x| = t]`, for the
/// factor `x` that decides. Made monotone, so that each cost has one threshold.
///
/// The cost is `t² · v(t)` with `v` the mean square of the other factor. A bin tells `v` from its energy and count;
/// bins with few values are drawn to the channel's mean of the other factor's square, by as much as if they had
/// ``priorCount`` more values of that size. Where costs still fall, bins are pooled (isotonic regression by
/// pool-adjacent-violators). Between the pools' centres the cost is a straight line in logarithms, beyond the
/// outermost it grows as `t²`.
struct MarginalCosts {
  /// Values that the channel's mean counts for in each bin.
  static let priorCount = 8.0

  /// Logarithms of thresholds and costs at the pools' centres, both strictly ascending.
  private let logThresholds: [Double]
  private let logCosts: [Double]

  /// - Parameters:
  ///   - counts: Values by bin of `|x|`, `[bins]`.
  ///   - energies: `Σ (g·u)²` by bin, `[bins]`.
  ///   - otherSquare: The channel's mean square of the other factor, positive.
  /// - Complexity: O(bins).
  init(counts: ArraySlice<Int64>, energies: ArraySlice<Double>, otherSquare: Double) {
    precondition(counts.count == LogarithmicBins.count && energies.count == counts.count && otherSquare > 0)
    var pools: [Pool] = []
    for ((centre, count), energy) in zip(zip(Self.centres, counts), energies) {
      let weight = Double(count) + Self.priorCount
      let square = centre.threshold * centre.threshold
      pools.append(
        Pool(
          weight: weight, logThreshold: weight * centre.logarithm,
          cost: energy + Self.priorCount * square * otherSquare))
      while pools.count > 1, pools[pools.count - 2].mean >= pools[pools.count - 1].mean {
        let last = pools.removeLast()
        pools[pools.count - 1].add(last)
      }
    }
    logThresholds = pools.map { $0.logThreshold / $0.weight }
    logCosts = pools.map { log($0.mean) }
  }

  /// Below which threshold every value costs less than `cost`, a positive number whose logarithm is given.
  /// Continuous and strictly ascending. Complexity: O(log bins).
  func threshold(logCost: Double) -> Double {
    var (low, high) = (0, logCosts.count)
    while low < high {
      let middle = (low + high) / 2
      if logCosts[middle] <= logCost { low = middle + 1 } else { high = middle }
    }
    if low == 0 { return exp(logThresholds[0] + (logCost - logCosts[0]) / 2) }
    guard low < logCosts.count else { return exp(logThresholds[low - 1] + (logCost - logCosts[low - 1]) / 2) }
    let share = (logCost - logCosts[low - 1]) / (logCosts[low] - logCosts[low - 1])
    return exp(logThresholds[low - 1] + share * (logThresholds[low] - logThresholds[low - 1]))
  }

  /// Bins that have one cost: sums, weighted by numbers of values.
  private struct Pool {
    var weight: Double
    var logThreshold: Double
    var cost: Double

    var mean: Double { cost / weight }

    mutating func add(_ other: Pool) {
      weight += other.weight
      logThreshold += other.logThreshold
      cost += other.cost
    }
  }

  /// The middle of each bin; of the open last one, as if it were an octave.
  private static let centres: [(threshold: Double, logarithm: Double)] = {
    let edges = LogarithmicBins.edges
    return (0..<LogarithmicBins.count).map { bin in
      let middle = bin == LogarithmicBins.count - 1 ? 1.5 * edges[bin] : (edges[bin] + edges[bin + 1]) / 2
      return (middle, log(middle))
    }
  }()
}
