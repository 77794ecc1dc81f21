import ActivationStatistics
import Foundation
import ThresholdSolver

/// How activations of one layer are distributed over the calibration text, and thresholds over its channels.
public struct LayerDistributions {
  public struct Curve {
    public var name: String
    /// Magnitudes, ascending, with what belongs to each.
    public var points: [(magnitude: Double, value: Double)]
  }

  /// Points of a curve of thresholds.
  private static let steps = 80

  public let layer: Int
  /// The share of values an octave of magnitude.
  public let activations: [Curve]
  /// The share of channels whose threshold is at most a magnitude; a curve for each thresholds.
  public let thresholds: [Curve]

  /// Of the middle layer. Complexity: O(channels · bins).
  public init(_ statistics: StatisticsFile, _ solved: [Thresholds]) throws {
    layer = statistics.description.layerCount / 2
    let all = try statistics.layer(layer).all
    activations = [
      Curve(name: "|g|, the gate's activation", points: Self.density(all.gate.count)),
      Curve(name: "|u|, the up projection", points: Self.density(all.up.count)),
      Curve(name: "|g·u|, their product", points: Self.density(all.productCount)),
    ]
    // Where inputs are cut no channel has a threshold.
    thresholds = solved.filter { !$0.request.method.cutsInputs }.map { [layer] thresholds in
      Curve(
        name: "\(thresholds.request.fileLabel) \(thresholds.request.sparsity)",
        points: Self.distribution(thresholds.layers[layer].ffn))
    }
  }

  /// Over all channels. What lies below the least and above the greatest edge has no width.
  private static func density(_ counts: [Int64]) -> [(magnitude: Double, value: Double)] {
    let bins = LogarithmicBins.count
    var total = [Int64](repeating: 0, count: bins)
    for (index, count) in counts.enumerated() { total[index % bins] += count }
    let sum = Double(max(total.reduce(0, +), 1))
    let edges = LogarithmicBins.edges
    return (1..<bins - 1).map { bin in
      let (low, high) = (edges[bin], edges[bin + 1])
      let share = Double(total[bin]) / sum
      return (magnitude: (low * high).squareRoot(), value: share / log2(high / low))
    }
  }

  private static func distribution(_ thresholds: [Float]) -> [(magnitude: Double, value: Double)] {
    let sorted = thresholds.filter(\.isFinite).sorted()
    guard !sorted.isEmpty else { return [] }
    return (0...steps).map { step in
      let index = min(step * sorted.count / steps, sorted.count - 1)
      return (magnitude: Double(sorted[index]), value: Double(index + 1) / Double(thresholds.count))
    }
  }
}
