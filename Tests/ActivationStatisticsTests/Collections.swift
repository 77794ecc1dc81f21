import Checkpoints
import TestSupport
import Transformer

@testable import ActivationStatistics

/// The tiny llama read over its calibration tokens.
struct Collection {
  let weights: any WeightSource
  let sequences: [[Int32]]
  let sinkPositions: Int

  init(sinkPositions: Int) throws {
    weights = try TinyModel.llama.open().weights
    sequences = try calibrationSequences()
    self.sinkPositions = sinkPositions
  }

  func description(_ coverage: Range<Int>) -> StatisticsDescription {
    StatisticsDescription(
      modelName: "tiny", modelHash: "m", corpusHash: "c", configuration: weights.configuration, sequenceLength: 64,
      sequenceCount: sequences.count, sinkPositions: sinkPositions, coverage: [coverage], toolVersion: "1")
  }

  /// Collects some sequences into a statistics file.
  func collect(_ range: Range<Int>, threads: Int, to path: String) throws {
    let checkpoint = try StatisticsCheckpoint(of: description(range), for: path, resuming: .never)
    let records = try collectStatistics(
      weights, Array(sequences[range]), sinkPositions: sinkPositions, threads: threads)
    for (layer, record) in records.enumerated() { try checkpoint.store(record, layer: layer) }
    try checkpoint.finish()
  }
}

/// Statistics of random numbers, small enough to be read hundreds of times.
struct SmallStatistics {
  static let configuration = ModelConfiguration(
    architecture: .llama, layerCount: 2, hiddenSize: 3, intermediateSize: 5, headCount: 2, keyValueHeadCount: 1,
    headDimension: 2, vocabularySize: 7, contextLength: 8, normEpsilon: 1e-5, ropeBase: 1e4, tiedEmbeddings: true)

  static func description(
    coverage: [Range<Int>] = [0..<2], sinkPositions: Int = 1, modelHash: String = "m", corpusHash: String = "c",
    toolVersion: String = "1", activation: GateActivation = .silu, scores: PlaneFormat? = nil
  ) -> StatisticsDescription {
    var configuration = configuration
    configuration.gateActivation = activation
    return StatisticsDescription(
      modelName: "tiny – 小", modelHash: modelHash, corpusHash: corpusHash, configuration: configuration,
      sequenceLength: 8, sequenceCount: 10, sinkPositions: sinkPositions, coverage: coverage, toolVersion: toolVersion,
      scores: scores)
  }

  static func record(seed: UInt64, _ description: StatisticsDescription = description()) -> LayerRecord {
    var record = LayerRecord(description.widths)
    record.regular = statistics(tokens: description.tokens, seed: seed, description.widths)
    record.sinks = statistics(tokens: description.sinkTokens, seed: seed + 1, description.widths)
    return record
  }

  private static func statistics(tokens: Int, seed: UInt64, _ widths: LayerWidths) -> LayerStatistics {
    var numbers = RandomNumbers(seed: seed)
    var statistics = LayerStatistics(widths)
    let factors = FactorAccumulator(channels: 5)
    // Large enough for sums that need a residual.
    let gate = numbers.normals(5 * tokens, deviation: 300)
    let up = numbers.normals(5 * tokens, deviation: 300)
    factors.add(gate: gate, up: up, tokens: tokens)
    let counted = factors.finish()
    (statistics.gate, statistics.up) = (counted.gate, counted.up)
    func counts(_ channels: Int) -> [Int64] {
      let counter = MagnitudeCounter(channels: channels)
      counter.add(numbers.normals(channels * tokens), tokens: tokens)
      var counts = [Int64](repeating: 0, count: channels * LogarithmicBins.count)
      _ = counter.drain(into: &counts)
      return counts
    }
    statistics.productCount = counts(5)
    statistics.ffnInputCount = counts(3)
    statistics.attentionInputCount = counts(3)
    statistics.outputInputCount = counts(4)
    if var scores = statistics.scores {
      let accumulator = ScoreAccumulator(channels: 5)
      let product = zip(gate, up).map { $0 * $1 }
      accumulator.add(product: product, half: product.map { $0 * 0.9 + 1 }, tokens: tokens)
      _ = accumulator.drain(into: &scores)
      statistics.scores = scores
    }
    return statistics
  }

  /// Writes a file with a record for each layer.
  static func write(
    _ description: StatisticsDescription = description(), to path: String, offsets: PlaneOffsets? = nil
  ) throws -> [LayerRecord] {
    let checkpoint = try StatisticsCheckpoint(of: description, for: path, resuming: .never)
    var records = [record(seed: 10, description), record(seed: 20, description)]
    for layer in records.indices { records[layer].offsets = offsets }
    for (layer, record) in records.enumerated() { try checkpoint.store(record, layer: layer) }
    try checkpoint.finish()
    return records
  }
}
