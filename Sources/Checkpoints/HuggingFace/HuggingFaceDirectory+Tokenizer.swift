import Tokenizers

extension HuggingFaceDirectory {
  /// The tokenizer of `tokenizer.json`.
  ///
  /// - Throws: ``CheckpointError``.
  func tokenizerModel() throws(CheckpointError) -> TokenizerModel {
    // TokenizerModel has no initializer from JSON yet; this is the only place that will call it.
    throw .unsupported(path: "\(path)/tokenizer.json", feature: "a tokenizer in JSON", known: ["GGUF metadata"])
  }
}
