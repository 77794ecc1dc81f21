import ActivationStatistics
import Foundation
import SparseBundle
import Transformer

/// What a stage takes of a machine, in bytes.
public struct StageSizes: Sendable, Codable, Equatable {
  /// The most memory at one time.
  public var memory: Int
  /// Of files that are gone when the stage has ended.
  public var scratch: Int
  /// Of files that it leaves.
  public var artifacts: Int

  /// Of sums that may be larger than any machine: documents ask for any number of tokens.
  fileprivate init(memory: Double, scratch: Double = 0, artifacts: Double = 0) {
    func bounded(_ bytes: Double) -> Int { Int(min(max(bytes, 0), 1e18)) }
    (self.memory, self.scratch, self.artifacts) = (bounded(memory), bounded(scratch), bounded(artifacts))
  }
}

// What stages hold in memory and on disk. The figures of programs and libraries are measured (Documentation/scale.md).
extension PipelineShape {
  /// A process that has opened a model, and its tokenizer.
  private static let program = 50e6
  /// What the allocator keeps of arrays that were freed, where passes make and free them in turn.
  private static let retained = 50e6
  /// The same where records of statistics come and go.
  private static let retainedOfRecords = 130e6
  private static let bytesOfToken = 2.0  // in a sample

  private var layer: Double { 4 * Double(layerWeights) }
  private var head: Double { 4 * Double(headWeights) }
  private var vocabulary: Double { Double(configuration.vocabularySize) }
  private var statistics: Double { Double(widths.bytesOfStatistics) }
  private var thresholdKinds: Double { isGraded ? 4 : 1 }
  private func states(_ tokens: Int) -> Double { 4 * Double(tokens) * Double(configuration.hiddenSize) }
  private func workspaces(_ length: Int) -> Double {
    let longest = min(length, configuration.contextLength)
    return Double(ForwardPass.workspaceBytes(configuration, longest: longest, hasHighPlanes: isGraded))
      * Double(threads)
  }
  private func logits(_ streams: Int) -> Double { Double(threads * streams * 64 * 4) * vocabulary }
  /// Of some of the model's weights, as they lie in its files.
  private func stored(_ weights: Int) -> Double { Double(modelBytes) * Double(weights) / Double(max(parameters, 1)) }
  /// Of some of the bundle's weights.
  private func unpacked(_ weights: Int) -> Double {
    Double(unpackedBytes) * Double(weights) / Double(max(parameters, 1))
  }

  func sampleSizes() -> StageSizes {
    let texts = sourceBytes.map(Double.init).reduce(0, +)
    return StageSizes(
      memory: Self.program + 300 * vocabulary + 12 * Double(tokens) + 16 * texts / 1000,
      artifacts: Self.bytesOfToken * Double(tokens))
  }

  /// - Parameter seconds: How long a shard takes: short ones store no states.
  func collectSizes(_ costs: MachineCosts, seconds: Double) -> StageSizes {
    let (states, budget) = (states(shardTokens), Double(document.memoryBudget))
    let counting = Double(widths.bytesToCount(sinkPositions: sinks, workers: threads))
    let collectors = Double(LayerWriter.collectorCount(widths, sinkPositions: sinks, workers: threads))
    let records = statistics * (sinks > 0 ? 2 : 1)
    let planes = document.collect?.scores == nil ? 0 : 2 * layer
    // The sample is whole in each shard's memory.
    let sample = 4 * Double(tokens)
    let memory =
      Self.program + Self.retainedOfRecords + layer + planes + stored(layerWeights) + sample + min(states, budget)
      + workspaces(sequenceLength) + collectors * counting + 2 * records + statistics
    let file = statisticsBytes(costs, tokens: shardTokens)
    return StageSizes(
      memory: memory, scratch: max(states - budget, 0) + (seconds > 30 ? 2 * states : 0) + file, artifacts: file)
  }

  func mergeSizes(_ costs: MachineCosts) -> StageSizes {
    let file = statisticsBytes(costs, tokens: tokens)
    return StageSizes(
      memory: Self.program + 4 * statistics * (sinks > 0 ? 2 : 1), scratch: file, artifacts: file)
  }

  func solveSizes() -> StageSizes {
    // Thresholds, and which factor decides.
    let perLayer = 5 * Double(configuration.intermediateSize) * thresholdKinds
    // A record, and what a solver makes of it in turn.
    let records = 40e6 + 2.3 * statistics
    let weights: Double = isGraded ? 4 : requests.contains(where: \.method.weighsColumns) ? 1 : 0
    return StageSizes(
      memory: Self.program + records + layer * weights,
      artifacts: Double(requests.count * layers) * perLayer)
  }

  func exportSizes(_ costs: MachineCosts) -> StageSizes {
    let streams = type.allowsRoundedActivations ? 3.0 : 2.0
    let measuring =
      streams * states(LossText.tokens) + workspaces(256)
      + max(2 * layer + stored(layerWeights), 2 * head + logits(2))
    // The embedding matrix: as it is, as it is stored, and as that is read again.
    let writing = 2 * head + unpacked(headWeights)
    return StageSizes(memory: Self.program + Self.retained + max(measuring, writing), artifacts: bundleBytes(costs))
  }

  func verifySizes() -> StageSizes {
    StageSizes(memory: Self.program + 2 * head + layer * (isGraded ? 2 : 1) + logits(1))
  }

  func evaluateSizes() -> StageSizes {
    let states = Double(1 + requests.count) * states(evaluationTokens)
    let groups = Double(1 + measuredGroups)
    let measuring =
      min(states, 2e9) + workspaces(document.evaluate.sequenceLength)
      + max(groups * layer + stored(layerWeights), groups * head + logits(2))
    // The text at the end is decoded from a mapped file, whose pages the system takes back, or from memory where the
    // cache does not hold that file.
    let cache = WeightCache.standard()
    let mapped = cache.directory != nil && unpackedBytes <= cache.limit
    let decoding = mapped ? 0 : Double(unpackedBytes)
    return StageSizes(
      memory: Self.program + Self.retained + max(measuring, Double(verifySizes().memory), decoding),
      scratch: max(states - 2e9, 0) + (mapped ? Double(unpackedBytes) : 0), artifacts: 100_000)
  }

  /// A histogram's occupied bins, and with them its packed bytes, grow with the logarithm of what was counted.
  private func statisticsBytes(_ costs: MachineCosts, tokens: Int) -> Double {
    let growth = log2(Double(max(tokens, 2))) / log2(Double(max(costs.statisticsTokens, 2)))
    return costs.statisticsBytes * max(growth, 0.5) * Double(layers)
  }

  private func bundleBytes(_ costs: MachineCosts) -> Double {
    // Logits of the source, dense and sparse; and the tokenizer.
    let golden = 3 * 4 * Double(GoldenRecording.positions) * vocabulary
    return Double(unpackedBytes) * costs.packedShare + golden + 45 * vocabulary
  }
}
