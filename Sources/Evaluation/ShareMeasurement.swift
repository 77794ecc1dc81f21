import Checkpoints
import Foundation
import ThresholdSolver
import Transformer

/// What thresholds drop of a text, without what a model predicts there: one forward pass, sparse on every position,
/// and no output head.
public struct ShareMeasurement: Sendable {
  private let weights: any WeightSource
  private let threads: Int
  private let memoryBudget: Int

  /// - Parameter memoryBudget: Bytes of activations to keep in memory; the others go to a scratch file in the system's
  ///   folder for these.
  public init(_ weights: any WeightSource, threads: Int, memoryBudget: Int = 2_000_000_000) {
    self.weights = weights
    self.threads = threads
    self.memoryBudget = memoryBudget
  }

  /// - Parameter progress: Called with the share of the work that is done.
  /// - Returns: The shares dropped, a layer each.
  public func run(
    _ windows: [[Int32]], _ thresholds: Thresholds, progress: (_ share: Double) -> Void = { _ in }
  ) throws -> [Thresholds.Shares] {
    let c = weights.configuration
    let pass = ForwardPass(c, longest: windows.map(\.count).max() ?? 0, threads: threads)
    let states = try pass.embed(
      windows, weights, memoryBudget: memoryBudget, scratchDirectory: FileManager.default.temporaryDirectory.path)
    return try (0..<c.layerCount).map { index in
      let tap = ThresholdTap(thresholds.layers[index])
      try pass.run(weights.layer(index), index: index, states, tap: tap)
      progress(Double(index + 1) / Double(c.layerCount))
      return tap.shares
    }
  }
}
