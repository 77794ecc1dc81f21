import Checkpoints
import Files
import Foundation
import SparseBundle
import Tokenizers

extension ModelBundle {
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
