import ActivationStatistics
import Foundation
import SparseBundle
import Transformer

/// What a stage takes of a machine, in bytes.
public struct StageSizes: Sendable, Codable, Equatable {
  /// The most memory at one time.
  public var memory = 0
  /// Of files that are gone when the stage has ended.
  public var scratch = 0
  /// Of files that it leaves.
  public var artifacts = 0
}

// What stages hold in memory and on disk. The figures of programs and libraries are measured (Documentation/scale.md).
extension PipelineShape {
  /// A process that has opened a model, and its tokenizer.
  private static let program = 50_000_000
  /// What the allocator keeps of matrices that were freed, where passes make and free them in turn.
  private static let retained = 200_000_000
  private static let bytesOfToken = 2.0  // in a sample

  private var layer: Int { 4 * layerWeights }
  private var head: Int { 4 * headWeights }
  private func states(_ tokens: Int) -> Int { 4 * tokens * configuration.hiddenSize }
  private func workspaces(_ length: Int) -> Int {
    ForwardPass.workspaceBytes(configuration, longest: length, hasHighPlanes: isGraded) * threads
  }
  private func logits(_ streams: Int) -> Int { threads * streams * 64 * 4 * configuration.vocabularySize }
  /// As it lies in the model's files.
  private var storedLayer: Int { modelBytes * layerWeights / max(parameters, 1) }

  func sampleSizes() -> StageSizes {
    StageSizes(
      memory: Self.program + 300 * configuration.vocabularySize + 12 * tokens + 16 * sourceBytes.reduce(0, +) / 1000,
      artifacts: Int(Self.bytesOfToken * Double(tokens)))
  }

  /// - Parameter seconds: How long a shard takes: short ones store no states.
  func collectSizes(_ costs: MachineCosts, seconds: Double) -> StageSizes {
    let states = states(shardTokens)
    let counting = widths.bytesToCount(sinkPositions: sinks, workers: threads)
    let collectors = 2 * counting <= LayerWriter.mostForTwo ? 2 : 1
    let statistics = widths.bytesOfStatistics * (sinks > 0 ? 2 : 1)
    let planes = document.collect?.scores == nil ? 0 : 2 * layer
    let memory =
      Self.program + Self.retained + layer + planes + storedLayer + min(states, memoryBudget)
      + workspaces(sequenceLength)
      + collectors * counting + 2 * statistics + widths.bytesOfStatistics
    let file = statisticsBytes(costs, tokens: shardTokens)
    return StageSizes(
      memory: memory, scratch: max(states - memoryBudget, 0) + (seconds > 30 ? 2 * states : 0) + file, artifacts: file)
  }

  func mergeSizes(_ costs: MachineCosts) -> StageSizes {
    let file = statisticsBytes(costs, tokens: tokens)
    return StageSizes(
      memory: Self.program + 4 * widths.bytesOfStatistics * (sinks > 0 ? 2 : 1), scratch: file, artifacts: file)
  }

  func solveSizes() -> StageSizes {
    let perLayer = 5 * configuration.intermediateSize * (isGraded ? 4 : 1)  // thresholds, and which factor decides
    // A record, and what a solver makes of it in turn.
    let statistics = 40_000_000 + 23 * widths.bytesOfStatistics / 10
    let weights = isGraded ? 4 : requests.contains(where: \.method.weighsColumns) ? 1 : 0
    return StageSizes(
      memory: Self.program + statistics + layer * weights,
      artifacts: requests.count * layers * perLayer)
  }

  func exportSizes(_ costs: MachineCosts) -> StageSizes {
    let streams = type.allowsRoundedActivations ? 3 : 2
    let measuring =
      streams * states(Self.lossTokens) + workspaces(256) + max(2 * layer + storedLayer, 2 * head + logits(2))
    // The embedding matrix: as it is, as it is stored, and as that is read again.
    let writing = 2 * head + unpackedBytes * headWeights / max(parameters, 1)
    return StageSizes(memory: Self.program + Self.retained + max(measuring, writing), artifacts: bundleBytes(costs))
  }

  func verifySizes() -> StageSizes {
    StageSizes(memory: Self.program + 2 * head + layer + logits(1))
  }

  func evaluateSizes() -> StageSizes {
    let streams = 1 + requests.count
    let states = streams * states(evaluationTokens)
    let heads = (1 + measuredGroups) * head
    let measuring =
      min(states, 2_000_000_000) + workspaces(document.evaluate.sequenceLength)
      + max((1 + measuredGroups) * layer + storedLayer, heads + logits(2))
    // The text at the end is decoded from a mapped file.
    let decoding = unpackedBytes
    return StageSizes(
      memory: Self.program + Self.retained + max(measuring, verifySizes().memory, decoding),
      scratch: max(states - 2_000_000_000, 0) + unpackedBytes, artifacts: 100_000)
  }

  /// A histogram's occupied bins, and with them its packed bytes, grow with the logarithm of what was counted.
  private func statisticsBytes(_ costs: MachineCosts, tokens: Int) -> Int {
    let growth = log2(Double(max(tokens, 2))) / log2(Double(max(costs.statisticsTokens, 2)))
    return Int(costs.statisticsBytes * max(growth, 0.5)) * layers
  }

  private func bundleBytes(_ costs: MachineCosts) -> Int {
    // Two texts with logits at four positions each, of the source, dense and sparse; and the tokenizer.
    let golden = 2 * 4 * 3 * 4 * configuration.vocabularySize
    return Int(Double(unpackedBytes) * costs.packedShare) + golden + 45 * configuration.vocabularySize
  }
}
