import Foundation
import Testing
import Tokenizers

@Suite struct SentencePieceTests {
  /// `sentencepiece.json`: a vocabulary as GGUF has it, and what SentencePiece's own library makes of texts.
  private struct Fixture: Decodable {
    struct Text: Decodable {
      var text: String
      var ids: [Int32]
    }

    var tokens: [String]
    var scores: [Double]
    var types: [Int]
    var texts: [Text]

    var kinds: [TokenizerModel.TokenKind] {
      types.map { [2: .control, 3: .control, 4: .userDefined, 6: .byte][$0] ?? .normal }
    }

    func merges() throws -> [String] {
      try TokenizerModel.sentencePieceMerges(tokens: tokens, kinds: kinds, scores: scores)
    }
  }

  private func fixture() throws -> Fixture {
    try JSONDecoder().decode(Fixture.self, from: Fixtures.data("sentencepiece.json"))
  }

  @Test func `ids are those of SentencePiece`() throws {
    let fixture = try fixture()
    let tokenizer = try Tokenizer(
      TokenizerModel(
        preTokenizer: .sentencePiece, tokens: fixture.tokens, kinds: fixture.kinds, merges: fixture.merges()))
    for expected in fixture.texts {
      #expect(tokenizer.encode(expected.text) == expected.ids, "\(expected.text.debugDescription)")
    }
  }

  @Test func `merges are those that tokenizer.json lists`() throws {
    #expect(try fixture().merges() == Fixtures.model(.sentencePiece).merges)
  }

  @Test func `scores that are not one a token are an error`() throws {
    let fixture = try fixture()
    let count = fixture.tokens.count
    #expect(throws: TokenizerError.scoreCount(tokens: count, scores: count - 1)) {
      try TokenizerModel.sentencePieceMerges(
        tokens: fixture.tokens, kinds: fixture.kinds, scores: fixture.scores.dropLast())
    }
  }

  /// A dictionary of strings would take U+8C48 and U+F900 for one.
  @Test func `tokens that differ only in canonical form are read as two`() throws {
    var model = try Fixtures.model(.sentencePiece)
    model.tokens += ["\u{8C48}", "\u{F900}", "a\"\\\u{1}"]
    model.kinds += [.normal, .normal, .normal]
    let tokenizer = try Tokenizer(model)
    let read = try Tokenizer(TokenizerModel(json: tokenizer.json(), configuration: tokenizer.configurationJSON()))
    #expect(read.model == model)
    #expect(read.encode("\u{8C48}\u{F900}").map { Int($0) } == [model.tokens.count - 3, model.tokens.count - 2])
  }

  @Test(arguments: [
    ("\"Replace\"", "\"Prepend\"", "normalizer is Prepend"),
    ("\"ByteFallback\"", "\"Strip\"", "decoder is Sequence[Replace, Strip, Fuse]"),
    ("\"<0xE2>\"", "\"<0xe2>\"", "unk_token"),
  ])
  func `a feature that would change ids is named`(found: String, replacement: String, message: String) throws {
    let text = String(decoding: try Fixtures.data("sentencepiece.tokenizer.json"), as: UTF8.self)
    try #require(text.contains(found))
    let json = Data(text.replacing(found, with: replacement, maxReplacements: 1).utf8)
    let error = #expect(throws: TokenizerError.self) { try TokenizerModel(json: json) }
    #expect(try #require(error).description.contains(message))
  }
}
