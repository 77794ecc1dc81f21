import Checkpoints
import Files
import Foundation
import SparseBundle
import Tokenizers

/// A hand-off that is a folder: it appears whole or not at all, and carries a mark by which a later one of the same format
/// knows that it may take its place.
struct HandoffFolder {
  /// The file that says which bundle the folder was made of.
  static let mark = "gambit_handoff.json"
  /// What ``ModelBundle/writeHuggingFaceFiles(to:_:sparseModule:)`` writes.
  private static let huggingFaceFiles: Set = [
    BundleFile.configuration, "generation_config.json", BundleFile.tokenizer, BundleFile.tokenizerConfiguration,
  ]

  let format: HandoffFormat
  /// Those of the format alone.
  let files: Set<String>

  /// - Parameter body: Writes all files but the mark.
  /// - Throws: ``HandoffError/notReplaceable(path:)`` where something else stands at `path`, or what `body` throws.
  func write(_ bundle: ModelBundle, to path: String, _ body: (_ folder: String) throws -> Void) throws {
    try requireReplaceable(path)
    try writeDirectoryAtomically(at: path) { folder in
      try body(folder)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      encoder.keyEncodingStrategy = .convertToSnakeCase
      try writeAtomically(encoder.encode(Mark(bundle, format)), to: folder + "/" + Self.mark)
    }
  }

  /// Nothing of anybody else's may be in it.
  private func requireReplaceable(_ path: String) throws(HandoffError) {
    guard FileManager.default.fileExists(atPath: path) else { return }
    guard let entries = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw .notReplaceable(path: path)
    }
    let foreign = Set(entries).subtracting(files).subtracting(Self.huggingFaceFiles).subtracting([Self.mark])
    guard entries.isEmpty || (foreign.isEmpty && mark(in: path)?.format == format) else {
      throw .notReplaceable(path: path)
    }
  }

  private func mark(in path: String) -> Mark? {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return (try? Data(contentsOf: URL(filePath: path + "/" + Self.mark))).flatMap {
      try? decoder.decode(Mark.self, from: $0)
    }
  }

  private struct Mark: Codable {
    var format: HandoffFormat
    var model: String
    /// The bundle's `manifest_sha256`.
    var bundleSha256: String
    var sparsity: Double

    init(_ bundle: ModelBundle, _ format: HandoffFormat) {
      self.format = format
      model = bundle.manifest.model.name
      bundleSha256 = bundle.manifest.manifestSha256
      sparsity = bundle.thresholds.request.sparsity
    }
  }
}

extension ModelBundle {
  /// - Throws: ``HandoffError/cannotCarry(_:format:instead:)`` where weights are in planes.
  func requireWholeWeights(for format: HandoffFormat) throws(HandoffError) {
    guard !manifest.weights.type.isInPlanes else {
      throw .cannotCarry(
        "weights in planes, which its thresholds grade", format: format, instead: "export thresholds of another method")
    }
  }

  /// What Hugging Face's libraries read beside a model: `config.json`, `generation_config.json` and the tokenizer's files.
  ///
  /// - Parameter module: A Python module beside them whose class makes the model; none unless given.
  func writeHuggingFaceFiles(
    to folder: String, _ tokenizer: TokenizerModel, sparseModule module: String? = nil
  ) throws {
    func put(_ name: String, _ bytes: some Collection<UInt8>) throws {
      try writeAtomically(bytes, to: folder + "/" + name)
    }
    // Thresholds were measured on activations in float32, whatever the weights are stored as.
    try put(
      BundleFile.configuration,
      configuration.huggingFaceJSON(
        beginOfText: tokenizer.beginOfText, endOfText: tokenizer.endOfText, weightType: "f32", sparseModule: module))
    try put("generation_config.json", GenerationConfiguration(tokenizer).encoded())
    for name in [BundleFile.tokenizer, BundleFile.tokenizerConfiguration] {
      let file = try FileReader(path: path + "/" + name)
      try put(name, file.read(at: 0, count: file.count))
    }
  }
}

private struct GenerationConfiguration: Encodable {
  var bosTokenId: Int32?
  var eosTokenId: Int32?

  init(_ tokenizer: TokenizerModel) {
    bosTokenId = tokenizer.beginOfText
    eosTokenId = tokenizer.endOfText
  }

  func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try encoder.encode(self)
  }
}
