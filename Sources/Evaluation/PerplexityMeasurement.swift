import Checkpoints
import Foundation
import LinearAlgebra
import Synchronization
import ThresholdSolver
import Transformer

/// Weights, and what to skip of them.
public struct MeasuredWeights: Sendable {
  public var weights: any WeightSource
  /// Each is measured by itself; `nil` stands for these weights with every channel kept.
  public var thresholds: [Thresholds?]

  public init(_ weights: any WeightSource, _ thresholds: [Thresholds?]) {
    self.weights = weights
    self.thresholds = thresholds
  }

  /// Whether some of the thresholds grade what is read of a weight.
  fileprivate var isGraded: Bool { thresholds.contains { $0?.request.method.gradesWeights ?? false } }
  /// Whether some of them read the output head on demand.
  fileprivate var gradesHead: Bool { thresholds.contains { $0?.headMargin != nil } }
}

/// Perplexity of a model, and of any number of others beside it, in one walk through the layers: under thresholds,
/// with rounded weights, or both. The dense model's stream is shared.
///
///     let measurement = PerplexityMeasurement(model.weights, threads: 2)
///     let (dense, others) = try measurement.run(text, [MeasuredWeights(model.weights, ladder)])
///     others[0][3].klEstimate
///
/// Every position of a window but its first is predicted, and weighs the same.
public struct PerplexityMeasurement: Sendable {
  private let reference: any WeightSource
  private let threads: Int
  private let memoryBudget: Int
  private let positions: MeasuredPositions

  /// - Parameters:
  ///   - reference: The dense model, from which divergences are measured.
  ///   - memoryBudget: Bytes of activations to keep in memory, of all models together; the others go to scratch files
  ///     in the system's folder for these.
  public init(
    _ reference: any WeightSource, threads: Int, memoryBudget: Int = 2_000_000_000,
    positions: MeasuredPositions = .all
  ) {
    self.reference = reference
    self.threads = threads
    self.memoryBudget = memoryBudget
    self.positions = positions
  }

  /// The dense model's figures, and those of its weights under each thresholds in their order.
  ///
  /// - Parameter windows: Token ids; windows of fewer than two tokens predict nothing.
  public func run(
    _ windows: [[Int32]], _ thresholds: [Thresholds], progress: @escaping @Sendable (_ share: Double) -> Void = { _ in }
  ) throws -> (dense: Perplexity, sparse: [Perplexity]) {
    let (dense, sparse) = try run(
      TokenWindows(windows), [MeasuredWeights(reference, thresholds)], progress: progress)
    return (dense, sparse[0])
  }

  /// - Parameters:
  ///   - others: Models of the same shape and vocabulary as the dense one.
  ///   - progress: Called with the share of the work that is done, from any thread.
  /// - Returns: The dense model's figures, and of each of the others one a thresholds.
  /// - Complexity: a forward pass for each thresholds and one for the dense model.
  public func run(
    _ text: TokenWindows, _ others: [MeasuredWeights],
    progress: @escaping @Sendable (_ share: Double) -> Void = { _ in }
  ) throws -> (dense: Perplexity, others: [[Perplexity]]) {
    let c = reference.configuration
    let windows = text.windows
    let prompts = windows.map { positions.promptLength(window: $0.count) }
    let pass = ForwardPass(
      c, longest: windows.map(\.count).max() ?? 0, threads: threads,
      hasHighPlanes: others.contains(where: \.isGraded))
    let streams = 1 + others.reduce(0) { $0 + $1.thresholds.count }
    func states(_ weights: any WeightSource) throws -> HiddenStates {
      try pass.embed(
        windows, weights, memoryBudget: memoryBudget / streams,
        scratchDirectory: FileManager.default.temporaryDirectory.path)
    }
    let dense = try states(reference)
    let hidden = try others.map { other in try other.thresholds.map { _ in try states(other.weights) } }
    var shares = others.map { $0.thresholds.map { _ in [Thresholds.Shares]() } }

    for index in 0..<c.layerCount {
      try pass.run(reference.layer(index), index: index, dense, tap: DenseTap())
      for (i, other) in others.enumerated() {
        let layer = try other.weights.layer(index)
        let high = other.isGraded ? try other.weights.highPlanes?.layer(index) : nil
        for (j, thresholds) in other.thresholds.enumerated() {
          guard let thresholds else {
            try pass.run(layer, index: index, hidden[i][j], tap: DenseTap())
            continue
          }
          shares[i][j].append(
            try run(pass, layer, high: high, index, hidden[i][j], thresholds.tap(layer: index), prompts))
        }
      }
      progress(Double(index + 1) / Double(c.layerCount + 1))  // the output head counts as a layer
    }

    var models = [[LastStates(head: try pass.outputHead(reference), states: dense)]]
    for (other, hidden) in zip(others, hidden) {
      let head = try pass.outputHead(other.weights, hasHighPlane: other.gradesHead)
      models.append(
        zip(other.thresholds, hidden).map {
          LastStates(head: head.onDemand(margin: $0?.headMargin, offsets: $0?.headOffsets), states: $1)
        })
    }
    let losses = try LossMeasurement(text, prompts: prompts, threads: threads).run(models)
    for (i, model) in models.dropFirst().enumerated() {
      for (j, stream) in model.enumerated() { shares[i][j].setHead(stream.head) }
    }
    progress(1)
    func perplexity(_ sums: [LossSums], _ shares: [Thresholds.Shares], isReference: Bool = false) -> Perplexity {
      Perplexity(
        clusters: sums, isClusteredByDocument: losses.isByDocument, shares: shares, isReference: isReference)
    }
    return (
      perplexity(losses.sums[0][0], [], isReference: true),
      zip(losses.sums.dropFirst(), shares).map { zip($0, $1).map { perplexity($0, $1) } }
    )
  }

  /// Takes a stream through a layer, sparse behind each window's prompt, and returns what was dropped.
  private func run(
    _ pass: ForwardPass, _ layer: LayerWeights, high: LayerWeights?, _ index: Int, _ states: HiddenStates,
    _ tap: some SharesTap, _ prompts: [Int]
  ) throws -> Thresholds.Shares {
    try pass.run(layer, high: high, index: index, states, tap: DecodingTap(tap: tap, prompts: prompts))
    return tap.shares
  }
}
