import Checkpoints

/// What statistics are of: which model read which text, how, and how much of it.
public struct StatisticsDescription: Sendable, Equatable, Codable {
  public var modelName: String
  /// SHA-256 of the model and of the token sequences.
  public var modelHash: String
  public var corpusHash: String
  public var layerCount: Int
  /// The layers read, `0..<layerCount` but where the work was cut between layers.
  public var layers: Range<Int>
  public var hiddenSize: Int
  public var queryWidth: Int
  public var intermediateSize: Int
  public var gateActivation: GateActivation
  public var sequenceLength: Int
  /// Sequences of the whole corpus, of which a shard reads some.
  public var sequenceCount: Int
  /// Positions at the start of each sequence that are counted apart.
  public var sinkPositions: Int
  /// The sequences read: ascending, disjoint, not touching each other.
  public var coverage: [Range<Int>]
  public var toolVersion: String
  /// The format in planes that the weights were rounded to, whose scores were counted, too; `nil` where the weights are
  /// the model's own.
  public var scores: PlaneFormat?

  public init(
    modelName: String, modelHash: String, corpusHash: String, configuration: ModelConfiguration, sequenceLength: Int,
    sequenceCount: Int, sinkPositions: Int, coverage: [Range<Int>], layers: Range<Int>? = nil, toolVersion: String,
    scores: PlaneFormat? = nil
  ) {
    self.modelName = modelName
    self.modelHash = modelHash
    self.corpusHash = corpusHash
    layerCount = configuration.layerCount
    self.layers = layers ?? 0..<configuration.layerCount
    hiddenSize = configuration.hiddenSize
    queryWidth = configuration.queryWidth
    intermediateSize = configuration.intermediateSize
    gateActivation = configuration.gateActivation
    self.sequenceLength = sequenceLength
    self.sequenceCount = sequenceCount
    self.sinkPositions = sinkPositions
    self.coverage = coverage
    self.toolVersion = toolVersion
    self.scores = scores
  }

  public var widths: LayerWidths {
    LayerWidths(hidden: hiddenSize, query: queryWidth, intermediate: intermediateSize, hasScores: scores != nil)
  }

  public var sequences: Int { coverage.reduce(0) { $0 + $1.count } }
  /// Tokens counted apart.
  public var sinkTokens: Int { sequences * min(sinkPositions, sequenceLength) }
  /// All other tokens.
  public var tokens: Int { sequences * sequenceLength - sinkTokens }
  /// Whether every sequence of the corpus was read.
  public var isComplete: Bool { coverage == [0..<sequenceCount] }
  /// Whether every layer was.
  public var hasAllLayers: Bool { layers == 0..<layerCount }
}

extension StatisticsDescription {
  /// What the merger of shards is of. Shards must be of one collection; those of the same layers cover a run of sequences,
  /// each once, and those of different layers the same run and a run of layers, each once.
  ///
  /// - Throws: ``StatisticsError`` that names the first file that does not fit.
  public static func merging(_ shards: [(path: String, description: Self)]) throws(StatisticsError) -> Self {
    guard let first = shards.first else { throw .nothingToMerge }
    for shard in shards {
      var comparable = shard.description
      (comparable.coverage, comparable.layers) = (first.description.coverage, first.description.layers)
      guard comparable == first.description else {
        throw .otherCollection(
          shard.path, first.path, difference: first.description.difference(from: comparable) ?? "shape")
      }
    }
    var merged = first.description
    var begun: (path: String, coverage: [Range<Int>])?
    for group in Dictionary(grouping: shards, by: \.description.layers).sorted(by: {
      $0.key.lowerBound < $1.key.lowerBound
    }) {
      let (layers, path) = (group.key, group.value[0].path)
      let coverage = try run(of: group.value)
      if let begun {
        guard layers.lowerBound >= merged.layers.upperBound else {
          throw .layerOverlap(begun.path, path, layers.lowerBound..<min(merged.layers.upperBound, layers.upperBound))
        }
        guard layers.lowerBound == merged.layers.upperBound else {
          throw .layerHole(merged.layers.upperBound..<layers.lowerBound)
        }
        guard coverage == begun.coverage else { throw .otherSequences(path, begun.path) }
        merged.layers = merged.layers.lowerBound..<layers.upperBound
      } else {
        (merged.layers, merged.coverage) = (layers, coverage)
      }
      begun = (path, coverage)
    }
    return merged
  }

  /// The sequences that shards of the same layers cover together.
  private static func run(of shards: [(path: String, description: Self)]) throws(StatisticsError) -> [Range<Int>] {
    let ranges = shards.flatMap { shard in shard.description.coverage.map { (shard.path, $0) } }
      .sorted { ($0.1.lowerBound, $0.1.upperBound) < ($1.1.lowerBound, $1.1.upperBound) }
    for (previous, next) in zip(ranges, ranges.dropFirst()) {
      guard next.1.lowerBound >= previous.1.upperBound else {
        throw .overlap(previous.0, next.0, next.1.lowerBound..<min(previous.1.upperBound, next.1.upperBound))
      }
      guard next.1.lowerBound == previous.1.upperBound else {
        throw .hole(previous.1.upperBound..<next.1.lowerBound)
      }
    }
    guard let low = ranges.first?.1.lowerBound, let high = ranges.last?.1.upperBound else { return [] }
    return [low..<high]
  }

  /// - Throws: ``StatisticsError/incomplete(_:)`` where sequences or layers of the collection are missing.
  public func requireComplete() throws(StatisticsError) {
    for (what, found, count) in [("sequences", coverage, sequenceCount), ("layers", [layers], layerCount)] {
      let (low, high) = (found.first?.lowerBound ?? 0, found.last?.upperBound ?? 0)
      if low > 0 { throw .incomplete("\(what) 0 to \(low - 1)") }
      if high < count { throw .incomplete("\(what) \(high) to \(count - 1)") }
    }
  }

  /// The first thing in which another collection differs, in words; `nil` where none does.
  public func difference(from other: Self) -> String? {
    if self == other { return nil }
    if modelHash != other.modelHash { return "model" }
    if modelName != other.modelName { return "model name" }
    if corpusHash != other.corpusHash || sequenceCount != other.sequenceCount { return "corpus" }
    if gateActivation != other.gateActivation { return "gate activation" }
    if scores != other.scores { return "weight format" }
    if sinkPositions != other.sinkPositions { return "number of sink positions" }
    if toolVersion != other.toolVersion { return "version of Gambit" }
    if coverage != other.coverage { return "range of sequences" }
    if layers != other.layers { return "range of layers" }
    return "shape"
  }
}
