import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import ActivationStatistics
@testable import ThresholdSolver

/// Shares of gate activations whose inputs are normally distributed.
struct FoldedDensityTests {
  @Test(arguments: [GateActivation.silu, .geluTanh], [0.75, 1, 3])
  func realisedShareIsTheAskedOne(_ activation: GateActivation, deviation: Double) {
    var numbers = RandomNumbers(seed: 1)
    let values = (0..<100_000).map { _ in Float(apply(activation, deviation * numbers.normal()).magnitude) }
    let scores = pool(values, activation)
    for percent in stride(from: 5, to: 100, by: 5) {
      let threshold = scores.thresholds(sparsity: Double(percent) / 100)[0]
      guard threshold > 0x1p-16 else { continue }  // nothing finer is known than the first bin
      let dropped = Double(values.count { $0 < threshold }) / Double(values.count)
      #expect((dropped - Double(percent) / 100).magnitude < 0.003, "\(percent)%: \(dropped) at \(threshold)")
      #expect((scores.shareDropped([threshold]) - Double(percent) / 100).magnitude < 1e-6)
    }
  }

  /// No more values lie below a larger threshold, across the edges of bins, too.
  @Test(arguments: [GateActivation.silu, .geluTanh], [0.3, 3])
  func countBelowNeverFalls(_ activation: GateActivation, deviation: Double) {
    var numbers = RandomNumbers(seed: 2)
    let scores = pool(
      (0..<5000).map { _ in Float(apply(activation, deviation * numbers.normal())) }, activation)
    let thresholds = (0...4000).map { Double($0) / 10_000 } + LogarithmicBins.edges.filter { $0 < 0.4 }
    let counts = thresholds.sorted().map { scores.count(of: 0, below: $0) }
    #expect(zip(counts, counts.dropFirst()).allSatisfy(<=))
  }

  @Test(arguments: [GateActivation.silu, .geluTanh])
  func emptyBinsCountNothing(_ activation: GateActivation) {
    let scores = pool([], activation)
    for t in [0, 0.17, 0.25, 0.27, 1, Double.infinity] { #expect(scores.count(of: 0, below: t) == 0) }
    #expect(scores.shareDropped([0.27]) == 0)
  }

  private func pool(_ values: [Float], _ activation: GateActivation) -> PooledScores {
    var counts = [Int64](repeating: 0, count: LogarithmicBins.count)
    for value in values { counts[LogarithmicBins.bin(of: value)] += 1 }
    return PooledScores(counts: counts, scales: [1], gateActivation: activation)
  }

  private func apply(_ activation: GateActivation, _ x: Double) -> Double {
    switch activation {
    case .silu: x / (1 + exp(-x))
    case .geluTanh: x / 2 * (1 + tanh(0.797_884_560_8 * (x + 0.044_715 * x * x * x)))
    }
  }
}
