import Checkpoints
import Files
import Foundation
import LinearAlgebra
import Signatures
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

  /// All but the manifest, of a bundle with one budget.
  static let listed = [configuration, golden, thresholds, tokenizer, tokenizerConfiguration, weights]

  /// All but the manifest, by name.
  static func listed(otherBudgets: [Double]) -> [String] {
    (listed + otherBudgets.flatMap { [thresholds(at: $0), golden(at: $0)] }).sorted()
  }

  /// A budget's thresholds; the default's where its sparsity is `nil`.
  static func thresholds(at sparsity: Double?) -> String {
    sparsity.map { "thresholds-\($0).safetensors" } ?? thresholds
  }

  /// What a runtime must compute with them.
  static func golden(at sparsity: Double?) -> String { sparsity.map { "golden-\($0).safetensors" } ?? golden }
}

/// Writes a bundle: a folder that appears whole or not at all. The same inputs give the same bytes.
public struct BundleWriter {
  public let model: Checkpoint
  public let ladder: ThresholdLadder
  public let type: WeightType
  public let toolVersion: String

  /// - Parameters:
  ///   - thresholds: The default's.
  ///   - others: Those of other budgets.
  /// - Throws: ``BundleError`` or `SolverError` where thresholds are not this model's or not of one method, or no bundle
  ///   can hold them.
  public init(
    model: Checkpoint, thresholds: Thresholds, others: [Thresholds] = [], type: WeightType, toolVersion: String
  ) throws {
    let hash = try model.hash
    for each in [thresholds] + others {
      try type.check(holds: each)
      guard each.modelHash == hash else { throw BundleError.otherModel(thresholds: each.modelHash, model: hash) }
      try each.check(model.configuration)
    }
    self.model = model
    ladder = try ThresholdLadder(thresholds, others: others)
    self.type = type
    self.toolVersion = toolVersion
  }

  /// Writes the folder `path`, in place of one that is there. Weights are taken a layer at a time.
  ///
  /// - Parameters:
  ///   - golden: Made for these weights and thresholds; of other budgets, in their order, `others`.
  ///   - quality: What the bundle loses.
  ///   - loss: What the type costs; `nil` for f32, which costs nothing.
  ///   - progress: Called with the share of the weights that is written.
  /// - Returns: How many of the weights are exactly the model's.
  /// - Precondition: There is one of `others` for each other budget.
  /// - Throws: ``BundleError``, `FileError`, or what the model's weights throw.
  @discardableResult
  public func write(
    to path: String, golden: GoldenVectors, others: [GoldenVectors] = [], tolerance: Double, quality: BundleQuality,
    loss: RoundingLoss?,
    progress: (_ share: Double) -> Void = { _ in }
  ) throws -> ExactWeights {
    precondition(others.count == ladder.others.count)
    try Self.checkReplaceable(path)
    var exact = ExactWeights()
    try writeDirectoryAtomically(at: path) { folder in
      let tokenizer = try Tokenizer(model.tokenizer)
      let layout = try BundleLayout(model.configuration, type, cutsInput: ladder.factorRows != nil)
      func put(_ name: String, _ bytes: some Collection<UInt8>) throws {
        try writeAtomically(bytes, to: folder + "/" + name)
      }
      try put(
        BundleFile.configuration,
        model.configuration.huggingFaceJSON(
          beginOfText: tokenizer.beginOfText, endOfText: tokenizer.endOfText, weightType: type.rawValue))
      try put(BundleFile.tokenizer, tokenizer.json())
      try put(BundleFile.tokenizerConfiguration, tokenizer.configurationJSON())
      for (index, golden) in ([golden] + others).enumerated() {
        let thresholds = ladder.all[index]
        let other = index == 0 ? nil : thresholds.request.sparsity
        try put(BundleFile.thresholds(at: other), thresholds.encoded())
        try put(
          BundleFile.golden(at: other),
          SafetensorsWriter.encode(
            golden.tensors(vocabularySize: model.configuration.vocabularySize),
            metadata: ["format": "gambit-golden", "version": "1"]))
      }
      exact = try writeWeights(layout, to: folder + "/" + BundleFile.weights, progress)

      try put(
        BundleFile.manifest,
        ManifestSeal.seal(manifest(layout, golden, tolerance, quality, loss, exact, folder).encoded()))
    }
    return exact
  }

  /// Only nothing, an empty folder or a bundle without other files in it may give way to a bundle.
  ///
  /// - Throws: ``BundleError/notABundle(path:)``, or `FileError` where nothing can be written there.
  public static func checkReplaceable(_ path: String) throws {
    try requireWritable(path, asDirectory: true)
    guard FileManager.default.fileExists(atPath: path) else { return }
    let entries = try? FileManager.default.contentsOfDirectory(atPath: path)
    let manifest = try? BundleManifest(reading: path + "/" + BundleFile.manifest)
    let known = manifest.map { Set($0.files.map(\.name)).union([BundleFile.manifest, FolderSignature.fileName]) } ?? []
    guard let entries, known.isSuperset(of: entries) else { throw BundleError.notABundle(path: path) }
  }

  private func manifest(
    _ layout: BundleLayout, _ golden: GoldenVectors, _ tolerance: Double, _ quality: BundleQuality,
    _ loss: RoundingLoss?, _ exact: ExactWeights, _ folder: String
  ) throws -> BundleManifest {
    let sparsification = BundleManifest.Sparsification(ladder)
    return BundleManifest(
      version: ladder.others.isEmpty ? BundleManifest.formatVersion : BundleManifest.ladderVersion,
      model: .init(
        name: model.name, sha256: try model.hash, architecture: model.configuration.architecture.rawValue,
        parameters: model.parameterCount),
      weights: .init(
        type: type, bytes: layout.header.encoded().count + layout.header.dataSize, exactShare: exact.share, loss,
        bundleKL: quality.budgets[0].kl),
      sparsification: sparsification, quality: quality,
      golden: .init(tolerance: tolerance, sourceDifference: golden.sourceDifference),
      files: try BundleFile.listed(otherBudgets: sparsification.otherSparsities).map { name in
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
    var source = TensorSource(model.weights, ladder.factorRows)
    var exact = ExactWeights()
    for group in layout.groups {
      let matrices = try group[0].tensors.map { try source.values(of: $0, isTransposed: group[0].isTransposed) }
      let stored = try group.map { try encoded(matrices, $0) }
      for bytes in stored {
        try writer.append(bytes)
        try writer.append([UInt8](repeating: 0, count: -bytes.count & (BundleLayout.alignment - 1)))
        try writer.endFrame()
      }
      for (tensor, matrix) in zip(group[0].tensors, matrices) {
        try exact.count(matrix, isMatrix: tensor.isMatrix, in: group[0].blocks()) { block in
          try layout.stored(tensor, block: block) { part, body in
            let index = group.firstIndex { $0.name == part.name } ?? 0
            let start = part.byteRange.lowerBound - group[index].byteRange.lowerBound
            stored[index].withUnsafeBytes {
              body(UnsafeRawBufferPointer(rebasing: $0[start..<start + part.byteRange.count]))
            }
          }
        }
      }
      progress(Double(writer.count) / total)
    }
    try writer.finish()
    return exact
  }

  private func encoded(_ matrices: [Matrix], _ entry: BundleLayout.Entry) throws(BundleError) -> [UInt8] {
    do { return try entry.encode(matrices) } catch {
      let name = error.tensor.storedName(
        in: model.configuration.architecture, type, cutsInput: ladder.factorRows != nil)
      throw BundleError(error.problem, tensor: name, type)
    }
  }
}

extension GoldenVectors {
  /// Greatest difference between the source model's dense logits and the bundle's, as recorded.
  public var sourceDifference: Double {
    texts.flatMap { zip($0.source, $0.dense) }.reduce(0) { max($0, Double(($1.0 - $1.1).magnitude)) }
  }
}
