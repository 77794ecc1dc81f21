import Checkpoints
import Foundation
import LinearAlgebra
import Synchronization
import ThresholdSolver
import Transformer

/// How well a model predicts a text.
public struct Perplexity: Sendable, Equatable {
  /// Mean negative log-likelihood of a token, in nats.
  public let nll: Double
  /// Mean KL(dense‖sparse) of a token, in nats; `nil` for the dense model itself.
  public let kl: Double?
  /// Predicted tokens.
  public let tokens: Int
  /// What each layer dropped; empty for the dense model.
  public let shares: [Thresholds.Shares]

  public var perplexity: Double { exp(nll) }
}

/// Perplexity of a model, dense and under any number of thresholds, in one walk through its layers.
///
/// The text is cut into windows of equal length; every position of a window but its first is
/// predicted, and weighs the same. Thresholds act on every position.
public struct PerplexityMeasurement: Sendable {
  private static let rowsOfLogits = 64

  private let weights: any WeightSource
  private let threads: Int
  private let memoryBudget: Int

  /// - Parameter memoryBudget: Bytes of activations to keep in memory, of the dense model and all
  ///   thresholds together; the others go to scratch files in the system's folder for these.
  public init(_ weights: any WeightSource, threads: Int, memoryBudget: Int = 2_000_000_000) {
    self.weights = weights
    self.threads = threads
    self.memoryBudget = memoryBudget
  }

  /// - Parameters:
  ///   - windows: Token ids; windows of fewer than two tokens predict nothing.
  ///   - finished: Called with the share of the work that is done, from any thread.
  /// - Returns: The dense model's figures, and those of each thresholds in their order.
  public func run(
    _ windows: [[Int32]], _ thresholds: [Thresholds], progress: @escaping @Sendable (_ share: Double) -> Void = { _ in }
  ) throws -> (dense: Perplexity, sparse: [Perplexity]) {
    let configuration = weights.configuration
    let pass = ForwardPass(configuration, longest: windows.map(\.count).max() ?? 0, threads: threads)
    let steps = Double((configuration.layerCount + 1) * (thresholds.count + 1))  // the output head counts as a layer
    let dense = try states(pass, windows, share: thresholds.count + 1)
    let sparse = try thresholds.map { _ in try states(pass, windows, share: thresholds.count + 1) }
    var shares = thresholds.map { _ in [Thresholds.Shares]() }

    for index in 0..<configuration.layerCount {
      let layer = try weights.layer(index)
      try pass.run(layer, index: index, dense, tap: DenseTap())
      for (i, states) in sparse.enumerated() {
        let tap = ThresholdTap(thresholds[i].layers[index])
        try pass.run(layer, index: index, states, tap: tap)
        shares[i].append(tap.shares)
      }
      progress(Double((index + 1) * (thresholds.count + 1)) / steps)
    }

    let totals = try losses(windows, dense, sparse, pass.outputHead(weights))
    progress(1)
    let tokens = windows.reduce(0) { $0 + max($1.count - 1, 0) }
    func mean(_ sum: Double) -> Double { sum / Double(max(tokens, 1)) }
    return (
      Perplexity(nll: mean(totals[0].nll), kl: nil, tokens: tokens, shares: []),
      zip(totals.dropFirst(), shares).map {
        Perplexity(nll: mean($0.nll), kl: mean($0.kl), tokens: tokens, shares: $1)
      }
    )
  }

  private func states(_ pass: ForwardPass, _ windows: [[Int32]], share: Int) throws -> HiddenStates {
    try pass.embed(
      windows, weights, memoryBudget: memoryBudget / share,
      scratchDirectory: FileManager.default.temporaryDirectory.path)
  }

  /// Sums over one stream's predicted positions.
  private struct Loss {
    var nll = 0.0
    var kl = 0.0
  }

  /// Of the dense stream first, then of each sparse one. Sums are taken a window and then in order,
  /// so that they do not depend on which thread came first.
  private func losses(
    _ windows: [[Int32]], _ dense: HiddenStates, _ sparse: [HiddenStates], _ head: OutputHead
  ) throws -> [Loss] {
    let byWindow = Mutex([[Loss]](repeating: [], count: windows.count))
    try forEachIndex(below: windows.count, threads: threads) { _, window in
      let tokens = windows[window]
      let streams = try ([dense] + sparse).map { try $0.sequence(window) }
      var losses = [Loss](repeating: Loss(), count: streams.count)
      for start in stride(from: 0, to: tokens.count - 1, by: Self.rowsOfLogits) {
        let rows = start..<min(start + Self.rowsOfLogits, tokens.count - 1)
        let reference = head.logits(streams[0], rows: rows)
        for (i, stream) in streams.enumerated() {
          let logits = i == 0 ? reference : head.logits(stream, rows: rows)
          for (r, row) in rows.enumerated() {
            let target = logits[r, Int(tokens[row + 1])]
            losses[i].nll += Double(VectorMath.logSumExp(logits.row(r), count: logits.columns) - target)
            if i > 0 {
              losses[i].kl += VectorMath.klDivergence(reference.row(r), logits.row(r), count: logits.columns)
            }
          }
        }
      }
      byWindow.withLock { $0[window] = losses }
    }
    return byWindow.withLock { byWindow in
      (0...sparse.count).map { stream in
        byWindow.reduce(into: Loss()) { total, window in
          guard stream < window.count else { return }
          total.nll += window[stream].nll
          total.kl += window[stream].kl
        }
      }
    }
  }
}
