import ActivationStatistics
import Evaluation
import Reports
import ThresholdSolver

/// statistics of a text's shards → standard errors of what is solved from all of them
public struct ConfidenceStage: Sendable {
  public var request: SolverRequest

  /// What the request drops where; the sparsity everywhere where it is `nil`.
  public var places: BudgetShares?

  public init(_ request: SolverRequest, places: BudgetShares? = nil) {
    self.request = request
    self.places = places
  }

  /// - Parameter paths: Statistics of two or more shards of one collection that follow each other, in any order.
  /// - Throws: ``PipelineError/badSetting(_:reason:)`` of a single shard, `StatisticsError` where shards do not belong
  ///   together.
  public func run(_ paths: [String], _ console: Console) throws -> ConfidenceReport {
    guard paths.count > 1 else {
      throw PipelineError.badSetting(
        "shards",
        reason: "a single file does not tell how much chance is in it: give two or more that 'gambit merge' adds up")
    }
    // In the order of the text, so that no last bit depends on the order in which they are given.
    let files = try paths.map { try StatisticsFile(path: $0) }.sorted { left, right in
      left.description.coverage.lexicographicallyPrecedes(right.description.coverage) { $0.lowerBound < $1.lowerBound }
    }
    let description = try StatisticsDescription.merging(files.map { ($0.path, $0.description) })
    let tokens = files.map { $0.description.sequences * description.sequenceLength }
    let jackknife = Jackknife(tokens: tokens)
    let layers = try console.task("confidence", total: Double(description.layerCount), unit: "layers") { task in
      try (0..<description.layerCount).map { index in
        defer { task.advance(by: 1) }
        return try LayerConfidence(
          files.map { try $0.layer(index) }, jackknife, request, places: places,
          gateActivation: description.gateActivation)
      }
    }
    return ConfidenceReport(Confidence(layers, jackknife), request, tokens: tokens)
  }

  /// The same for thresholds that were solved from these shards together.
  ///
  /// - Throws: ``PipelineError/otherModel(file:model:)`` and its like where they were not.
  public static func run(of thresholds: Thresholds, _ paths: [String], _ console: Console) throws -> ConfidenceReport {
    guard !thresholds.request.method.needsWeights else {
      throw PipelineError.badSetting(
        "thresholds",
        reason:
          "method '\(thresholds.request.method.rawValue)' is solved from the model's weights as well, which statistics "
          + "do not hold: give thresholds of another method")
    }
    guard thresholds.request.allocation != .greedy else {
      throw PipelineError.badSetting(
        "thresholds",
        reason: "allocation 'greedy' was searched for in each layer by itself, and shards cannot repeat that: give "
          + "thresholds of the same method with 'uniform'")
    }
    for path in paths {
      let description = try StatisticsFile(path: path).description
      guard description.modelHash == thresholds.modelHash, description.corpusHash == thresholds.corpusHash else {
        throw PipelineError.badSetting(
          "thresholds",
          reason: "they were solved from another model or text than '\(path)' is of: give those solved from the shards")
      }
    }
    // A divided budget was divided by measuring: what was found is taken as it is.
    let isDivided = thresholds.request.allocation == .global
    return try Self(thresholds.request, places: isDivided ? thresholds.realised.budget : nil).run(paths, console)
  }
}
