import Testing
import Tokenizers

@Suite struct DecodingTests {
  @Test(arguments: TokenizerModel.PreTokenizer.allCases)
  func `text is that of Hugging Face tokenizers`(family: TokenizerModel.PreTokenizer) throws {
    let tokenizer = try Fixtures.tokenizer(family)
    for expected in try Fixtures.decoded(family) {
      #expect(tokenizer.decode(expected.ids) == expected.text)
      #expect(tokenizer.decode(expected.ids, skippingSpecialTokens: true) == expected.skipping)
    }
  }

  @Test(arguments: [TokenizerModel.PreTokenizer.gpt2, .llamaBPE, .sentencePiece])
  func `decoding what was encoded gives the same bytes`(family: TokenizerModel.PreTokenizer) throws {
    let tokenizer = try Fixtures.tokenizer(family)
    for text in try Fixtures.encoded().map(\.text) {
      #expect(tokenizer.bytes(of: tokenizer.encode(text)) == Array(text.utf8))
    }
  }

  @Test func `ids outside the vocabulary stand for nothing`() throws {
    let tokenizer = try Fixtures.tokenizer(.gpt2)
    let outside = [-1, Int32.min, Int32.max, Int32(tokenizer.vocabularySize)]
    #expect(tokenizer.decode(outside) == "")
    #expect(outside.allSatisfy { tokenizer.text(of: $0) == nil })
  }

  @Test(arguments: TokenizerModel.PreTokenizer.allCases, [false, true])
  func `streamed pieces join to the whole text`(family: TokenizerModel.PreTokenizer, skipping: Bool) throws {
    let tokenizer = try Fixtures.tokenizer(family)
    let sequences =
      try Fixtures.decoded(family).map(\.ids) + Fixtures.encoded().map { tokenizer.encode($0.text) }
    for ids in sequences {
      var decoder = StreamingDecoder(tokenizer, skippingSpecialTokens: skipping)
      let streamed = ids.map { decoder.append($0) }.joined() + decoder.finish()
      #expect(Array(streamed.utf8) == Array(tokenizer.decode(ids, skippingSpecialTokens: skipping).utf8))
    }
  }

  @Test func `a character comes out with its last byte`() throws {
    let tokenizer = try Tokenizer(Fixtures.bytesModel())
    var decoder = StreamingDecoder(tokenizer)
    #expect(tokenizer.encode("é👍").map { decoder.append($0) } == ["", "é", "", "", "", "👍"])
    #expect(decoder.append(tokenizer.encode("👍")[0]) == "")
    #expect(decoder.finish() == "\u{FFFD}")
  }

  @Test func `an added token is written literally`() throws {
    // As bytes of GPT-2's alphabet, é would be the single byte E9.
    let tokenizer = try Tokenizer(Fixtures.bytesModel(userDefined: ["<é>"]))
    #expect(tokenizer.decode(tokenizer.encode("a<é>b")) == "a<é>b")
  }
}
