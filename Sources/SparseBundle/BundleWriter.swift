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
  private let factorRows: FactorRows?

  /// - Throws: ``BundleError`` or `SolverError` where the thresholds are not this model's, or no bundle can hold them.
  public init(model: Checkpoint, thresholds: Thresholds, type: WeightType, toolVersion: String) throws {
    try thresholds.request.method.checkExportable()
    let hash = try model.hash
    guard thresholds.modelHash == hash else {
      throw BundleError.otherModel(thresholds: thresholds.modelHash, model: hash)
    }
    try thresholds.check(model.configuration)
    self.model = model
    self.thresholds = thresholds
    self.type = type
    self.toolVersion = toolVersion
    factorRows = FactorRows(thresholds)
  }

  /// Writes the folder `path`, in place of one that is there. Weights are taken a layer at a time.
  ///
  /// - Parameters:
  ///   - golden: Made for these weights and thresholds.
  ///   - loss: What the type costs; `nil` for f32, which costs nothing.
  ///   - progress: Called with the share of the weights that is written.
  /// - Returns: How many of the weights are exactly the model's.
  /// - Throws: ``BundleError``, `FileError`, or what the model's weights throw.
  @discardableResult
  public func write(
    to path: String, golden: GoldenVectors, tolerance: Double, loss: RoundingLoss?,
    progress: (_ share: Double) -> Void = { _ in }
  ) throws -> ExactWeights {
    try Self.checkReplaceable(path)
    var exact = ExactWeights()
    try writeDirectoryAtomically(at: path) { folder in
      let tokenizer = try Tokenizer(model.tokenizer)
      let layout = try BundleLayout(model.configuration, type, cutsInput: factorRows != nil)
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
      exact = try writeWeights(layout, to: folder + "/" + BundleFile.weights, progress)

      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      encoder.keyEncodingStrategy = .convertToSnakeCase
      try put(BundleFile.manifest, encoder.encode(manifest(layout, golden, tolerance, loss, exact, folder)))
    }
    return exact
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
    _ layout: BundleLayout, _ golden: GoldenVectors, _ tolerance: Double, _ loss: RoundingLoss?, _ exact: ExactWeights,
    _ folder: String
  ) throws -> BundleManifest {
    let request = thresholds.request
    return BundleManifest(
      model: .init(
        name: model.name, sha256: try model.hash, architecture: model.configuration.architecture.rawValue,
        parameters: model.parameterCount),
      weights: .init(
        type: type, bytes: layout.header.encoded().count + layout.header.dataSize, exactShare: exact.share, loss),
      sparsification: .init(
        method: request.method, norm: request.norm, source: request.source, secondCut: request.secondCut,
        inputCut: request.inputCut, attention: request.attention, allocation: request.allocation,
        sparsity: request.sparsity, realised: thresholds.realised,
        corpusSha256: thresholds.corpusHash, statisticsSha256: thresholds.statisticsHash),
      golden: .init(tolerance: tolerance, sourceDifference: golden.sourceDifference),
      files: try BundleFile.listed.sorted().map { name in
        let file = folder + "/" + name
        return .init(name: name, size: try FileReader(path: file).count, sha256: try sha256(ofFile: file))
      },
      tools: [.init(name: "gambit", version: toolVersion)])
  }

  // MARK: Weights

  /// One frame a tensor or more, so that a reader can decompress any tensor alone.
  private func writeWeights(
    _ layout: BundleLayout, to path: String, _ progress: (Double) -> Void
  ) throws -> ExactWeights {
    let file = try FileWriter(creating: path)
    let writer = try SeekableWriter { try file.write($0) }
    try writer.append(layout.header.encoded())
    try writer.endFrame()

    let total = Double(max(layout.header.dataSize, 1))
    var source = TensorSource(model.weights, factorRows)
    var exact = ExactWeights()
    for entry in layout.entries {
      let matrix = try source.values(of: entry)
      let bytes = try encoded(matrix, entry)
      exact.count(matrix, storedAs: bytes, entry)
      try writer.append(bytes)
      try writer.append([UInt8](repeating: 0, count: -bytes.count & (BundleLayout.alignment - 1)))
      try writer.endFrame()
      progress(Double(writer.count) / total)
    }
    try writer.finish()
    return exact
  }

  private func encoded(_ matrix: Matrix, _ entry: BundleLayout.Entry) throws(BundleError) -> [UInt8] {
    do { return try entry.type.encode(matrix) } catch { throw BundleError(error, tensor: entry.name, entry.type) }
  }
}

extension GoldenVectors {
  /// Greatest difference between the source model's dense logits and the bundle's, as recorded.
  public var sourceDifference: Double {
    texts.flatMap { zip($0.source, $0.dense) }.reduce(0) { max($0, Double(($1.0 - $1.1).magnitude)) }
  }
}
