import Foundation
import Tokenizers

extension HuggingFaceDirectory {
  /// Token ids as models name them beside their tokenizer: in `generation_config.json` or `config.json`.
  private struct SpecialTokens: Decodable {
    var bosTokenId: OneOrMore?
    var eosTokenId: OneOrMore?

    /// The first of an id or a list of ids.
    struct OneOrMore: Decodable {
      var first: Int?

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        first = if let ids = try? container.decode([Int].self) { ids.first } else { try container.decode(Int.self) }
      }
    }
  }

  /// The tokenizer of `tokenizer.json`. Special tokens that `tokenizer_config.json` does not name are
  /// looked up in `generation_config.json`, then in `config.json`; the first of several ends a text.
  ///
  /// - Throws: ``CheckpointError`` where a file is missing or damaged, or the tokenizer is not supported.
  func tokenizerModel() throws(CheckpointError) -> TokenizerModel {
    let json = try readWhole("\(path)/tokenizer.json")
    let settings = try readIfPresent("tokenizer_config.json")
    var model: TokenizerModel
    do {
      model = try TokenizerModel(json: json, configuration: settings)
    } catch {
      throw .tokenizer(path: path, error)
    }
    for name in ["generation_config.json", "config.json"] where exists(name) {
      let tokens = try decodeJSON(SpecialTokens.self, path: "\(path)/\(name)")
      if model.beginOfText == nil { model.beginOfText = try checked(tokens.bosTokenId, in: model, name) }
      if model.endOfText == nil { model.endOfText = try checked(tokens.eosTokenId, in: model, name) }
    }
    // As in transformers, the file of its own wins over tokenizer_config.json.
    if let template = try readIfPresent("chat_template.jinja") {
      model.chatTemplate = String(decoding: template, as: UTF8.self)
    }
    return model
  }

  private func checked(
    _ token: SpecialTokens.OneOrMore?, in model: TokenizerModel, _ name: String
  ) throws(CheckpointError) -> Int32? {
    guard let id = token?.first else { return nil }
    guard model.tokens.indices.contains(id), let id = Int32(exactly: id) else {
      throw .malformed(path: "\(path)/\(name)", problem: "token \(id) is not one of \(model.tokens.count)")
    }
    return id
  }

  private func readIfPresent(_ name: String) throws(CheckpointError) -> Data? {
    exists(name) ? try readWhole("\(path)/\(name)") : nil
  }
}
