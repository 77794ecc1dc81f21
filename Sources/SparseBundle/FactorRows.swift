import Checkpoints
import LinearAlgebra
import ThresholdSolver

/// How gate and up projections lie in a bundle whose deciding rows leave out inputs: where the up projection decides,
/// a channel's two rows have changed places, so that one matrix holds the deciding rows and the other one the rest.
///
/// The first one lies with one row an input, so that an input that is left out is one run that is never read.
public struct FactorRows: Sendable, Equatable {
  private let upDecides: [[Bool]?]  // [layers][intermediateSize]; nil where the gate decides in all channels

  /// `nil` where deciding rows read all inputs: gate and up projections are then stored as they are.
  public init?(_ thresholds: Thresholds) {
    guard thresholds.layers.contains(where: { $0.input != nil }) else { return nil }
    upDecides = thresholds.layers.map(\.upDecides)
  }

  /// Takes a layer's gate and up projections, `[intermediateSize, hiddenSize]`, to deciding and other rows, or back:
  /// rows change places in both matrices. Complexity: O(weights).
  package func exchange(_ gate: Matrix, _ up: Matrix, layer: Int) {
    if let upDecides = upDecides[layer] { gate.exchangeRows(with: up, where: upDecides) }
  }
}
