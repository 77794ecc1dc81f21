import ActivationStatistics
import Foundation

/// The second cut of a layer: where both factors of a channel are known, its down column is read only where `|g·u|`
/// is at least a threshold. Of all products the smallest cost least, so that one threshold serves all channels.
///
/// A column is not read where either cut drops. How many of the products that the first cut drops would have passed
/// the second is not in the statistics; it is reckoned from the energies, as if products in a bin of the deciding
/// factor were normally distributed.
struct SecondCut {
  private static let steps = 6

  /// All channels' products as one channel's: they have one scale.
  private let products: PooledScores
  private let dropped: [Cell]

  /// A bin of a channel that the first cut drops in part or whole.
  private struct Cell {
    var channel: Int
    /// Products that it drops.
    var count: Double
    /// The root of the products' mean square.
    var rms: Double
  }

  /// - Complexity: O(channels · bins).
  init(_ layer: LayerStatistics, after first: FactorThresholds) {
    let bins = LogarithmicBins.count
    var counts = [Int64](repeating: 0, count: bins)
    for (cell, count) in layer.productCount.enumerated() { counts[cell % bins] += count }
    products = PooledScores(counts: counts, scales: [1], gateActivation: nil)

    let energies = (gate: layer.gate.energy.values, up: layer.up.energy.values)
    var dropped: [Cell] = []
    for (channel, threshold) in first.thresholds.enumerated() where threshold > 0 {
      let upDecides = first.upDecides?[channel] == true
      let (counts, energies) = upDecides ? (layer.up.count, energies.up) : (layer.gate.count, energies.gate)
      let last = LogarithmicBins.bin(of: threshold)
      for bin in 0...last {
        let cell = channel * bins + bin
        guard counts[cell] > 0, energies[cell] > 0 else { continue }
        let (low, high) = (LogarithmicBins.edges[bin], LogarithmicBins.edges[bin + 1])
        let share = bin < last || threshold == .infinity ? 1 : (Double(threshold) - low) / (high - low)
        let count = Double(counts[cell])
        dropped.append(
          Cell(channel: channel, count: share * count, rms: (energies[cell] / count).squareRoot()))
      }
    }
    self.dropped = dropped
  }

  /// The threshold at which both cuts together drop a share of `share`, or 0 where the first alone does.
  func threshold(share: Double) -> Float {
    var threshold: Float = 0
    var asked = share
    // What the first cut adds hardly depends on the threshold: each step is far nearer than the one before.
    for _ in 0..<Self.steps {
      threshold = products.thresholds(sparsity: min(max(asked, 0), 1))[0]
      asked = share - shareOnlyFirstDrops([threshold])
    }
    return threshold
  }

  /// The share of products that the first cut drops though they are not below `thresholds`, one for all channels or
  /// one each.
  func shareOnlyFirstDrops(_ thresholds: [Float]) -> Double {
    guard products.total > 0 else { return 0 }
    let passing = dropped.reduce(0) { sum, cell in
      let threshold = Double(thresholds[thresholds.count == 1 ? 0 : cell.channel])
      return sum + cell.count * erfc(threshold / (cell.rms * 2.0.squareRoot()))
    }
    return passing / products.total
  }
}
