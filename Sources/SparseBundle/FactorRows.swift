import Checkpoints
import LinearAlgebra
import ThresholdSolver

/// How gate and up projections lie in a bundle whose deciding rows leave out inputs: where the up projection decides,
/// a channel's two rows have changed places, so that one matrix holds the deciding rows and the other one the rest.
///
/// The first one lies with one row an input, so that an input that is left out is one run that is never read.
public struct FactorRows: Sendable, Equatable {
  private let upDecides: [[Bool]]  // [layers][intermediateSize]; no channels where the gate decides in all

  /// `nil` where deciding rows read all inputs: gate and up projections are then stored as they are.
  public init?(_ thresholds: Thresholds) {
    guard thresholds.layers.contains(where: { $0.input != nil }) else { return nil }
    upDecides = thresholds.layers.map { $0.upDecides ?? [] }
  }

  /// Takes a layer's gate and up projections, `[intermediateSize, hiddenSize]`, to deciding and other rows, or back:
  /// rows change places in both matrices. Complexity: O(weights).
  package func exchange(_ gate: Matrix, _ up: Matrix, layer: Int) {
    for (channel, isExchanged) in upDecides[layer].enumerated() where isExchanged {
      let (a, b) = (gate.row(channel), up.row(channel))
      for i in 0..<gate.columns { (a[i], b[i]) = (b[i], a[i]) }
    }
  }
}
