import Checkpoints
import Foundation
import ThresholdSolver
import Transformer

/// One forward pass over sequences, sparse on every position where thresholds are given, layer by layer and without the
/// output head: what a text drops, and the hidden states behind the last layer.
public struct ThresholdWalk: Sendable {
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

  public struct Result {
    public var pass: ForwardPass
    public var states: HiddenStates
    /// The shares dropped, a layer each; empty where every channel was kept.
    public var shares: [Thresholds.Shares]
  }

  /// - Parameters:
  ///   - layouts: How the tokens of each sequence follow each other; one after the other where it is empty.
  ///   - thresholds: What to skip; nothing where it is `nil`.
  ///   - progress: Called with the layers that are done.
  public func run(
    _ sequences: [[Int32]], layouts: [SequenceLayout] = [], _ thresholds: Thresholds?,
    progress: (_ layers: Int) -> Void = { _ in }
  ) throws -> Result {
    let c = weights.configuration
    let isGraded = thresholds?.request.method.gradesWeights ?? false
    let pass = ForwardPass(
      c, longest: sequences.map(\.count).max() ?? 0, threads: threads,
      hasHighPlanes: isGraded)
    let states = try pass.embed(
      sequences, weights, memoryBudget: memoryBudget, scratchDirectory: FileManager.default.temporaryDirectory.path)
    var shares: [Thresholds.Shares] = []
    for index in 0..<c.layerCount {
      let layer = try weights.layer(index)
      if let thresholds {
        let tap = thresholds.tap(layer: index)
        let high = isGraded ? try weights.highPlanes?.layer(index) : nil
        try pass.run(layer, high: high, index: index, states, layouts: layouts, tap: tap)
        shares.append(tap.shares)
      } else {
        try pass.run(layer, index: index, states, layouts: layouts, tap: DenseTap())
      }
      progress(index + 1)
    }
    return Result(pass: pass, states: states, shares: shares)
  }
}
