import Testing
import Tokenizers

@Suite struct ModelTests {
  @Test func `a model that contradicts itself is an error`() throws {
    let sound = try Fixtures.bytesModel(merges: ["a b"])
    func expect(_ expected: TokenizerError, _ change: (inout TokenizerModel) -> Void) {
      var model = sound
      change(&model)
      #expect(throws: expected) { try Tokenizer(model) }
    }
    let count = sound.tokens.count
    expect(.emptyVocabulary) { $0.tokens = [] }
    expect(.kindCount(tokens: count, kinds: count - 1)) { $0.kinds.removeLast() }
    expect(.duplicateToken(text: "!", first: 0, second: 1)) { $0.tokens[1] = "!" }
    expect(.idOutOfRange(name: "end-of-text token", id: count, limit: count)) { $0.endOfText = Int32(count) }
    expect(.idOutOfRange(name: "begin-of-text token", id: -1, limit: count)) { $0.beginOfText = -1 }
    expect(.mergeOfUnknownToken(index: 0, token: "xy")) { $0.merges = ["x y"] }
    for merge in ["", " ", "ab", "a ", " b", "a b c"] {
      expect(.malformedMerge(index: 0, text: merge)) { $0.merges = [merge] }
    }
  }

  @Test func `tokens that differ only in canonical form are two tokens`() throws {
    var model = try Fixtures.bytesModel(userDefined: ["<\u{E9}>", "<e\u{301}>"])
    let tokenizer = try Tokenizer(model)
    #expect(tokenizer.encode("<\u{E9}><e\u{301}>").map { Int($0) } == [256, 257])
    model.tokens[257] = "<\u{E9}>"
    #expect(throws: TokenizerError.self) { try Tokenizer(model) }
  }

  @Test func `gaps in the numbering are not tokens`() throws {
    var model = try Fixtures.bytesModel(control: ["<x>"])
    model.tokens[1...2] = ["", ""]
    model.kinds[1...2] = [.unused, .unused]
    let tokenizer = try Tokenizer(model)
    #expect(tokenizer.id(of: "") == nil)
    #expect(tokenizer.vocabularySize == 257)
    #expect(tokenizer.encode("<x>") == [256])
  }
}
