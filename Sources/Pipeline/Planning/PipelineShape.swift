import ActivationStatistics
import Checkpoints
import Corpus
import Files
import Foundation
import SparseBundle
import ThresholdSolver

/// What a pipeline's amounts of work, memory and storage follow from: the document, the model's shape, and how the work is
/// cut.
struct PipelineShape {
  let document: PipelineDocument
  let requests: [SolverRequest]
  let configuration: ModelConfiguration
  let parameters: Int
  /// Bytes of the model's files.
  let modelBytes: Int
  /// Bytes of each source's files.
  let sourceBytes: [Int]
  /// Tokens that are evaluated: what is asked for is the most, and no text is known of which one is less than two bytes.
  let evaluationTokens: Int
  let threads: Int
  private(set) var shards: Int

  /// - Parameter evaluated: The files of text that is evaluated.
  init(
    _ document: PipelineDocument, _ model: Checkpoint, sources: [TextSource], evaluated: [String], threads: Int,
    shards: Int
  ) throws {
    self.document = document
    self.threads = threads
    self.shards = shards
    requests = try document.requests
    configuration = model.configuration
    parameters = model.parameterCount
    modelBytes = Self.bytes(ofFolderOrFile: model.path)
    func bytes(_ patterns: [String]) throws -> Int {
      try DocumentReader(patterns: patterns).files.reduce(0) { $0 + Self.bytes(ofFolderOrFile: $1) }
    }
    sourceBytes = try sources.map { try bytes($0.patterns) }
    let (asked, length) = (document.evaluate.tokens, document.evaluate.sequenceLength)
    evaluationTokens = min(asked, max(((try? bytes(evaluated)) ?? .max) / 2, length)) / length * length
  }

  /// The same, cut into another number of shards.
  init(_ other: Self, shards: Int) {
    self = other
    self.shards = shards
  }

  var layers: Int { configuration.layerCount }
  var sequenceLength: Int { document.sample.sequenceLength }
  var sequences: Int { document.sample.tokens / sequenceLength }
  var tokens: Int { sequences * sequenceLength }
  /// Of the largest shard.
  var shardSequences: Int { (sequences + shards - 1) / shards }
  var shardTokens: Int { shardSequences * sequenceLength }

  /// Weights of the output head, and of one layer on the mean.
  var headWeights: Int { configuration.vocabularySize * configuration.hiddenSize }
  var layerWeights: Int { (parameters - headWeights * (configuration.tiedEmbeddings ? 1 : 2)) / max(layers, 1) }

  var type: WeightType { document.export.weights }
  var sinks: Int { document.collect?.sinks ?? 0 }
  var isGraded: Bool { requests.contains { $0.method.gradesWeights } }
  /// Thresholds of both kinds are measured beside the dense model: those of the model's weights and of weights in planes.
  var measuredGroups: Int { Set(requests.map(\.method.gradesWeights)).count }
  var widths: LayerWidths {
    LayerWidths(
      hidden: configuration.hiddenSize, query: configuration.queryWidth, intermediate: configuration.intermediateSize,
      hasScores: document.collect?.scores != nil)
  }
  /// Bytes of the bundle's weights, unpacked.
  var unpackedBytes: Int {
    let layout = try? BundleLayout(configuration, type, cutsInput: (try? document.exported.inputCut) ?? nil != nil)
    return layout?.entries.last?.byteRange.upperBound ?? 4 * parameters
  }

  /// Operations of a token in a layer: two a weight, and attention to the half of a sequence that is behind it.
  func operations(sequenceLength: Int) -> Double {
    2 * Double(layerWeights) + 2 * Double(configuration.queryWidth) * Double(sequenceLength)
  }

  /// How much longer sequences side by side take than their number says, where threads wait for the last ones.
  func unevenness(_ sequences: Int) -> Double {
    guard sequences > 0 else { return 1 }
    return Double((sequences + threads - 1) / threads * threads) / Double(sequences)
  }

  private static func bytes(ofFolderOrFile path: String) -> Int {
    let files = FileManager.default
    var isDirectory: ObjCBool = false
    guard files.fileExists(atPath: path, isDirectory: &isDirectory) else { return 0 }
    guard isDirectory.boolValue else { return (try? FileReader(path: path).count) ?? 0 }
    let names = (try? files.contentsOfDirectory(atPath: path)) ?? []
    return names.reduce(0) { $0 + ((try? FileReader(path: "\(path)/\($1)").count) ?? 0) }
  }
}
