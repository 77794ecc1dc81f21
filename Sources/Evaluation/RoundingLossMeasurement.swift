import Checkpoints
import LinearAlgebra
import SparseBundle
import Synchronization
import Transformer

/// Measures what storing a model's weights in a type costs: three models at once, layer by layer, with one layer of
/// the source and of the rounded weights in memory.
///
///     let loss = try RoundingLossMeasurement(model.weights, .q4, threads: 2).run(windows, text: "built-in")
public struct RoundingLossMeasurement: Sendable {
  private static let rowsOfLogits = 64

  private let weights: any WeightSource
  private let type: WeightType
  private let factorRows: FactorRows?
  private let threads: Int

  /// - Parameter factorRows: How gate and up projections are stored, where not as they are.
  public init(_ weights: any WeightSource, _ type: WeightType, _ factorRows: FactorRows? = nil, threads: Int) {
    self.weights = weights
    self.type = type
    self.factorRows = factorRows
    self.threads = threads
  }

  /// - Parameters:
  ///   - windows: Token ids; every position but a window's last weighs the same.
  ///   - text: What the windows were cut from, for the result to name.
  ///   - progress: Called with the share of the work that is done.
  /// - Complexity: three forward passes over the windows, two where activations may not be rounded.
  public func run(
    _ windows: [[Int32]], text: String, progress: (_ share: Double) -> Void = { _ in }
  ) throws -> RoundingLoss {
    let configuration = weights.configuration
    let rounded = RoundedWeights(weights, type, factorRows)
    let pass = ForwardPass(configuration, longest: windows.map(\.count).max() ?? 0, threads: threads)
    let source = try pass.embed(windows, weights)
    let exact = try pass.embed(windows, rounded)
    let integer = type.allowsRoundedActivations ? try pass.embed(windows, rounded) : nil

    for index in 0..<configuration.layerCount {
      try pass.run(weights.layer(index), index: index, source, tap: DenseTap())
      let layer = try rounded.layer(index)
      try pass.run(layer, index: index, exact, tap: DenseTap())
      if let integer { try pass.run(layer, index: index, integer, tap: ActivationRoundingTap()) }
      progress(Double(index + 1) / Double(configuration.layerCount + 1))  // the output head counts as a layer
    }

    let sums = try divergences(
      windows, source, exact, integer, try pass.outputHead(weights), try pass.outputHead(rounded))
    progress(1)
    let tokens = windows.reduce(0) { $0 + max($1.count - 1, 0) }
    // Of equal distributions the sum may come out a little below zero.
    func mean(_ sum: Double) -> Double { max(sum, 0) / Double(max(tokens, 1)) }
    return RoundingLoss(
      text: text, tokens: tokens, kl: mean(sums.weights),
      activationRoundingKL: integer.map { _ in mean(sums.activations) })
  }

  private struct Divergences {
    var weights = 0.0
    var activations = 0.0
  }

  /// Sums are taken a window and then in order, so that they do not depend on which thread came first.
  private func divergences(
    _ windows: [[Int32]], _ source: HiddenStates, _ exact: HiddenStates, _ integer: HiddenStates?,
    _ sourceHead: OutputHead, _ head: OutputHead
  ) throws -> Divergences {
    let byWindow = Mutex([Divergences](repeating: Divergences(), count: windows.count))
    try forEachIndex(below: windows.count, threads: threads) { _, window in
      let states = (try source.sequence(window), try exact.sequence(window), try integer?.sequence(window))
      let rounding = ActivationRoundingTap()
      var sum = Divergences()
      for start in stride(from: 0, to: windows[window].count - 1, by: Self.rowsOfLogits) {
        let rows = start..<min(start + Self.rowsOfLogits, windows[window].count - 1)
        let logits = head.logits(states.1, rows: rows)
        sum.weights += divergence(sourceHead.logits(states.0, rows: rows), logits)
        guard let hidden = states.2 else { continue }
        sum.activations += divergence(logits, head.logits(hidden, rows: rows, tap: rounding.round))
      }
      byWindow.withLock { $0[window] = sum }
    }
    return byWindow.withLock { byWindow in
      byWindow.reduce(into: Divergences()) {
        $0.weights += $1.weights
        $0.activations += $1.activations
      }
    }
  }

  /// Σ KL(p‖q) over rows of logits.
  private func divergence(_ p: Matrix, _ q: Matrix) -> Double {
    (0..<p.rows).reduce(0) { $0 + VectorMath.klDivergence(p.row($1), q.row($1), count: p.columns) }
  }
}
