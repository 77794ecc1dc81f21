import ActivationStatistics
import Checkpoints
import Corpus
import Files
import Reports
import SparseBundle
import Transformer

/// token sequences → activation statistics
public struct CollectStage: Sendable {
  /// Seconds of work that a killed process may lose beyond the layer it was in.
  private static let secondsBetweenCheckpoints = 30
  /// How many times longer than activations take to be stored is computed until they are stored again: a slow disk takes no
  /// more than a tenth of the time.
  private static let computingPerStoring = 10

  /// Positions at the start of each sequence to count apart.
  public var sinkPositions: Int
  /// Bytes of activations to keep in memory; the others go to a scratch file beside the output.
  public var memoryBudget: Int
  public var threads: Int
  /// Rounds the model's weights to this format and counts scores as well.
  public var scores: PlaneFormat?

  public init(sinkPositions: Int = 0, memoryBudget: Int = .max, threads: Int, scores: PlaneFormat? = nil) {
    self.sinkPositions = sinkPositions
    self.memoryBudget = memoryBudget
    self.threads = threads
    self.scores = scores
  }

  /// One of `count` equal parts of a corpus, counted from 1.
  public struct Shard: Sendable {
    public var index: Int
    public var count: Int

    public init(index: Int, count: Int) {
      self.index = index
      self.count = count
    }

    /// The shard's sequences among all.
    func range(of sequences: Int) throws -> Range<Int> {
      guard index >= 1, index <= count, count <= sequences else {
        throw PipelineError.badShard(index: index, count: count, sequences: sequences)
      }
      // In full width: shards of a large corpus must not overflow.
      func bound(_ i: Int) -> Int { Int(Int128(sequences) * Int128(i) / Int128(count)) }
      return bound(index - 1)..<bound(index)
    }
  }

  /// Some of a model's layers, and the files through which activations come from the layers before them and go to those
  /// behind.
  public struct LayerPart: Sendable {
    public var layers: Range<Int>
    public var input: String?
    public var output: String?

    public init(layers: Range<Int>, input: String? = nil, output: String? = nil) {
      self.layers = layers
      self.input = input
      self.output = output
    }

    /// - Throws: ``PipelineError/badSetting(_:reason:)``.
    fileprivate func check(_ c: ModelConfiguration, scores: PlaneFormat?) throws(PipelineError) {
      func bad(_ reason: String) -> PipelineError { .badSetting("layers", reason: reason) }
      guard !layers.isEmpty, layers.lowerBound >= 0, layers.upperBound <= c.layerCount else {
        throw bad("\(layers.lowerBound)..\(layers.upperBound) is no part of the model's \(c.layerCount) layers")
      }
      guard (layers.lowerBound == 0) == (input == nil) else {
        throw bad("layer 0 reads tokens, and every other one --activations-in, which the layers before it wrote")
      }
      guard output == nil || layers.upperBound < c.layerCount else {
        throw bad("behind the last layer nobody reads --activations-out: leave it out")
      }
      guard scores == nil else {
        throw bad(
          "scores need a pass over all layers beforehand, for what high planes leave out: collect without --layers")
      }
    }
  }

  /// Runs the model over the sample, layer by layer, and writes what it counted to `output`.
  ///
  /// - Parameters:
  ///   - part: Which layers; all of them unless given.
  ///   - resuming: What to do with what an interrupted run left beside `output`.
  /// - Throws: ``PipelineError`` where model and sample do not fit, or what any part throws; what is
  ///   finished stays and can be resumed.
  public func run(
    _ model: Checkpoint, _ sample: TokenSequences, samplePath: String, output: String, shard: Shard? = nil,
    part: LayerPart? = nil, resuming: StatisticsCheckpoint.Resumption, _ console: Console
  ) throws {
    let range = try shard?.range(of: sample.count) ?? 0..<sample.count
    try run(model, sample, range, samplePath: samplePath, output: output, part: part, resuming: resuming, console)
  }

  /// The same of some sequences.
  func run(
    _ model: Checkpoint, _ sample: TokenSequences, _ range: Range<Int>, samplePath: String, output: String,
    part: LayerPart? = nil, resuming: StatisticsCheckpoint.Resumption, _ console: Console
  ) throws {
    try part?.check(model.configuration, scores: scores)
    var description = try describe(range, model, sample, samplePath: samplePath)
    if let part { description.layers = part.layers }
    let checkpoint = try StatisticsCheckpoint(of: description, for: output, resuming: resuming)

    let layers = description.layers
    let probed = scores == nil ? [] : OffsetProbe.sequences(of: sample)
    let tokens = Double((range.count + probed.count) * sample.sequenceLength)
    try console.task("collect", total: tokens * Double(layers.count), unit: "token-layers") { task in
      // What the last layer hands on is not kept beside the statistics.
      if checkpoint.nextLayer < layers.upperBound || part?.output != nil {
        try walk(model, range.map { sample[$0] }, probed, checkpoint, part, scratch: folder(of: output), task)
      }
    }
    try checkpoint.finish()
  }

  /// What statistics of some of the sample's sequences are of.
  ///
  /// - Throws: ``PipelineError`` where model and sample do not fit.
  func describe(
    _ range: Range<Int>, _ model: Checkpoint, _ sample: TokenSequences, samplePath: String
  ) throws -> StatisticsDescription {
    let configuration = model.configuration
    try sample.check(model, path: samplePath)
    guard sinkPositions <= sample.sequenceLength else {
      throw PipelineError.badSetting(
        "sinks", reason: "\(sinkPositions) positions are more than a sequence's \(sample.sequenceLength)")
    }
    return StatisticsDescription(
      modelName: model.name, modelHash: try model.hash, corpusHash: sample.contentHash, configuration: configuration,
      sequenceLength: sample.sequenceLength, sequenceCount: sample.count, sinkPositions: sinkPositions,
      coverage: [range], toolVersion: Gambit.version, scores: scores)
  }

  /// - Parameter probed: What the offsets of high planes are found on, where scores are counted.
  private func walk(
    _ model: Checkpoint, _ sequences: [[Int32]], _ probed: [[Int32]], _ checkpoint: StatisticsCheckpoint,
    _ part: LayerPart?, scratch: String, _ task: Console.Task
  ) throws {
    let configuration = model.configuration
    let pass = ForwardPass(
      configuration, longest: sequences.map(\.count).max() ?? 0, threads: threads, hasHighPlanes: scores != nil)
    let weights: any WeightSource = scores.map { PlaneWeights(model.weights, $0) } ?? model.weights
    let offsets = try scores.map { _ in
      try OffsetProbe(weights: weights, threads: threads).run(probed) { task.advance(by: Double($0)) }
    }
    let layers = checkpoint.description.layers
    let states =
      part?.input == nil
      ? try pass.embed(sequences, weights, memoryBudget: memoryBudget, scratchDirectory: scratch)
      : try HiddenStates(
        lengths: sequences.map(\.count), width: configuration.hiddenSize, memoryBudget: memoryBudget,
        scratchDirectory: scratch)
    let restored = try checkpoint.restore(states)
    if restored == nil, let input = part?.input {
      try ActivationFile(description: checkpoint.description, path: input).read(into: states)
    }
    let first = restored ?? layers.lowerBound
    let finished = checkpoint.nextLayer
    task.advance(by: Double((first - layers.lowerBound) * states.tokens))
    let writer = LayerWriter(checkpoint, workers: threads)
    var (stored, pause) = (ContinuousClock.now, Duration.seconds(Self.secondsBetweenCheckpoints))

    for index in first..<layers.upperBound {
      let layer = try weights.layer(index)
      if index < finished {
        // Counted before the process died, but what the layer hands on is needed.
        try pass.run(layer, index: index, states, tap: DenseTap()) { task.advance(by: Double($0)) }
        continue
      }
      let collector = try writer.nextCollector(offsets?[index])
      try pass.run(layer, high: weights.highPlanes?.layer(index), index: index, states, tap: collector) {
        task.advance(by: Double($0))
      }
      writer.write(collector, layer: index)
      if index + 1 < layers.upperBound, stored.duration(to: .now) > pause {
        let begun = ContinuousClock.now
        try checkpoint.store(states, before: index + 1)
        stored = .now
        pause = max(pause, begun.duration(to: stored) * Self.computingPerStoring)
      }
    }
    try writer.finish()
    if let output = part?.output {
      try ActivationFile(description: checkpoint.description, path: output).write(states)
    }
  }
}
