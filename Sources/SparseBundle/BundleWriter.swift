import Checkpoints
import Files
import Foundation
import LinearAlgebra
import ThresholdSolver
import Tokenizers
import Zstandard

/// Names of a bundle's files.
public enum BundleFile {
  public static let manifest = "manifest.json"
  public static let configuration = "config.json"
  public static let tokenizer = "tokenizer.json"
  public static let tokenizerConfiguration = "tokenizer_config.json"
  public static let weights = "weights.safetensors.zst"
  public static let thresholds = "thresholds.safetensors"
  public static let golden = "golden.safetensors"
  /// Made by others than the writer; not part of what the manifest lists.
  static let signature = "model.sig"

  /// All but the manifest.
  static let listed = [configuration, golden, thresholds, tokenizer, tokenizerConfiguration, weights]
}

/// Writes a bundle: a folder that appears whole or not at all. The same inputs give the same bytes.
public struct BundleWriter {
  public let model: Checkpoint
  public let thresholds: Thresholds
  public let type: WeightType
  public let toolVersion: String

  /// - Throws: ``BundleError`` or `SolverError` where the thresholds are not this model's.
  public init(model: Checkpoint, thresholds: Thresholds, type: WeightType, toolVersion: String) throws {
    let hash = try model.hash
    guard thresholds.modelHash == hash else {
      throw BundleError.otherModel(thresholds: thresholds.modelHash, model: hash)
    }
    try thresholds.check(model.configuration)
    self.model = model
    self.thresholds = thresholds
    self.type = type
    self.toolVersion = toolVersion
  }

  /// Writes the folder `path`, in place of one that is there. Weights are taken a layer at a time.
  ///
  /// - Parameters:
  ///   - golden: Made for these weights and thresholds.
  ///   - progress: Called with the share of the weights that is written.
  /// - Throws: ``BundleError``, `FileError`, or what the model's weights throw.
  public func write(
    to path: String, golden: GoldenVectors, tolerance: Double, progress: (_ share: Double) -> Void = { _ in }
  ) throws {
    try Self.checkReplaceable(path)
    try writeDirectoryAtomically(at: path) { folder in
      let tokenizer = try Tokenizer(model.tokenizer)
      let layout = try BundleLayout(model.configuration, type)
      func put(_ name: String, _ bytes: some Collection<UInt8>) throws {
        try writeAtomically(bytes, to: folder + "/" + name)
      }
      try put(
        BundleFile.configuration,
        model.configuration.huggingFaceJSON(
          beginOfText: tokenizer.beginOfText, endOfText: tokenizer.endOfText, weightType: type.rawValue))
      try put(BundleFile.tokenizer, tokenizer.json())
      try put(BundleFile.tokenizerConfiguration, tokenizer.configurationJSON())
      try put(BundleFile.thresholds, thresholds.encoded())
      try put(
        BundleFile.golden,
        SafetensorsWriter.encode(
          golden.tensors(vocabularySize: model.configuration.vocabularySize),
          metadata: ["format": "gambit-golden", "version": "1"]))
      try writeWeights(layout, to: folder + "/" + BundleFile.weights, progress)

      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      encoder.keyEncodingStrategy = .convertToSnakeCase
      try put(BundleFile.manifest, encoder.encode(manifest(layout, golden, tolerance, folder)))
    }
  }

  /// Only nothing, an empty folder or a bundle may give way to a bundle.
  ///
  /// - Throws: ``BundleError/notABundle(path:)``.
  public static func checkReplaceable(_ path: String) throws(BundleError) {
    guard FileManager.default.fileExists(atPath: path) else { return }
    let entries = try? FileManager.default.contentsOfDirectory(atPath: path)
    let isBundle = (try? BundleManifest(reading: path + "/" + BundleFile.manifest)) != nil
    guard entries?.isEmpty == true || isBundle else { throw .notABundle(path: path) }
  }

  private func manifest(
    _ layout: BundleLayout, _ golden: GoldenVectors, _ tolerance: Double, _ folder: String
  ) throws -> BundleManifest {
    let request = thresholds.request
    return BundleManifest(
      model: .init(
        name: model.name, sha256: try model.hash, architecture: model.configuration.architecture.rawValue,
        parameters: model.parameterCount),
      weights: .init(type: type, bytes: layout.header.encoded().count + layout.header.dataSize),
      sparsification: .init(
        method: request.method, norm: request.norm, attention: request.attention, sparsity: request.sparsity,
        realised: thresholds.realised, corpusSha256: thresholds.corpusHash, statisticsSha256: thresholds.statisticsHash),
      golden: .init(tolerance: tolerance, sourceDifference: golden.sourceDifference),
      files: try BundleFile.listed.sorted().map { name in
        let file = folder + "/" + name
        return .init(name: name, size: try FileReader(path: file).count, sha256: try sha256(ofFile: file))
      },
      tools: [.init(name: "gambit", version: toolVersion)])
  }

  // MARK: Weights

  /// One frame a tensor or more, so that a reader can decompress any tensor alone.
  private func writeWeights(_ layout: BundleLayout, to path: String, _ progress: (Double) -> Void) throws {
    let file = try FileWriter(creating: path)
    let writer = try SeekableWriter { try file.write($0) }
    try writer.append(layout.header.encoded())
    try writer.endFrame()

    let total = Double(max(layout.header.dataSize, 1))
    var source = TensorSource(model.weights)
    for entry in layout.entries {
      let matrix = try source.values(of: entry)
      let bytes = try encoded(matrix, entry)
      try writer.append(bytes)
      try writer.append([UInt8](repeating: 0, count: -bytes.count & (BundleLayout.alignment - 1)))
      try writer.endFrame()
      progress(Double(writer.count) / total)
    }
    try writer.finish()
  }

  private func encoded(_ matrix: Matrix, _ entry: BundleLayout.Entry) throws(BundleError) -> [UInt8] {
    do { return try entry.type.encode(matrix) } catch { throw BundleError(error, tensor: entry.name, entry.type) }
  }
}

/// A model's tensors one by one in a bundle's orientation, with one layer in memory.
private struct TensorSource {
  private let weights: any WeightSource
  private var current: (index: Int, layer: LayerWeights)?

  init(_ weights: any WeightSource) { self.weights = weights }

  mutating func values(of entry: BundleLayout.Entry) throws -> Matrix {
    let matrix =
      switch entry.tensor {
      case .embeddings: try weights.embeddings(of: (0..<Int32(entry.shape[0])).map { $0 })
      case .finalNorm: row(try weights.finalNorm())
      case .outputHead: try weights.outputHead()
      case .layer(let index, let part): try values(of: part, in: layer(index))
      }
    return entry.isTransposed ? matrix.transposed() : matrix
  }

  private mutating func layer(_ index: Int) throws -> LayerWeights {
    if let current, current.index == index { return current.layer }
    current = nil  // before the next one is read, so that never two are held
    let layer = try weights.layer(index)
    current = (index, layer)
    return layer
  }

  private func values(of part: LayerTensor, in layer: LayerWeights) -> Matrix {
    switch part {
    case .attentionNorm: row(layer.attentionNorm)
    case .query: layer.query
    case .key: layer.key
    case .value: layer.value
    case .output: layer.output
    case .queryBias: row(layer.queryBias ?? [])
    case .keyBias: row(layer.keyBias ?? [])
    case .valueBias: row(layer.valueBias ?? [])
    case .queryNorm: row(layer.queryNorm ?? [])
    case .keyNorm: row(layer.keyNorm ?? [])
    case .ffnNorm: row(layer.ffnNorm)
    case .gate: layer.gate
    case .up: layer.up
    case .down: layer.down
    }
  }

  private func row(_ values: [Float]) -> Matrix { Matrix(rows: 1, columns: values.count, values: values) }
}

extension GoldenVectors {
  /// Greatest difference between the source model's dense logits and the bundle's, as recorded.
  public var sourceDifference: Double {
    texts.flatMap { zip($0.source, $0.dense) }.reduce(0) { max($0, Double(($1.0 - $1.1).magnitude)) }
  }
}
