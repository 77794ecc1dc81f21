import Foundation
import Testing
import Tokenizers

/// What `Fixtures/make_fixtures.py` wrote.
enum Fixtures {
  struct Encoded: Decodable, Sendable {
    var text: String
    /// By family: where words end, in scalars.
    var words: [String: [Int]]
    var ids: [String: [Int32]]
    /// Ids with special tokens taken as text, where they differ.
    var plain: [String: [Int32]]
  }

  struct Decoded: Decodable, Sendable {
    var ids: [Int32]
    var text: String
    var skipping: String
  }

  static func data(_ name: String) throws -> Data {
    let url = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    return try Data(contentsOf: url.appending(path: name))
  }

  static func encoded() throws -> [Encoded] {
    try JSONDecoder().decode([Encoded].self, from: data("expected.json"))
  }

  static func decoded(_ family: TokenizerModel.PreTokenizer) throws -> [Decoded] {
    let all = try JSONDecoder().decode([String: [Decoded]].self, from: data("decoded.json"))
    return try #require(all[family.rawValue])
  }

  static func model(_ family: TokenizerModel.PreTokenizer) throws -> TokenizerModel {
    try TokenizerModel(json: data("\(family.rawValue).tokenizer.json"))
  }

  static func tokenizer(_ family: TokenizerModel.PreTokenizer) throws -> Tokenizer {
    try Tokenizer(model(family))
  }

  /// A model with a token for each byte and the given ones after them.
  static func bytesModel(
    _ family: TokenizerModel.PreTokenizer = .gpt2, merges: [String] = [], control: [String] = [],
    userDefined: [String] = []
  ) throws -> TokenizerModel {
    let bytes = try model(.gpt2).tokens.filter { $0.unicodeScalars.count == 1 }
    let merged = merges.map { $0.replacing(" ", with: "") }
    return TokenizerModel(
      preTokenizer: family, tokens: bytes + merged + control + userDefined,
      kinds: bytes.map { _ in .normal } + merged.map { _ in .normal } + control.map { _ in .control }
        + userDefined.map { _ in .userDefined },
      merges: merges)
  }
}
