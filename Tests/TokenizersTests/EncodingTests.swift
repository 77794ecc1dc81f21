import Testing

@testable import Tokenizers

@Suite struct EncodingTests {
  @Test(arguments: TokenizerModel.PreTokenizer.allCases)
  func `words are those of the pre-tokenizer's expression`(family: TokenizerModel.PreTokenizer) throws {
    for expected in try Fixtures.encoded() {
      let text = Array(expected.text.utf8)
      var classifier = TextClassifier(family)
      var ends: [Int] = []
      text.withUnsafeBufferPointer { bytes in
        classifier.classify(bytes)
        classifier.classes.withUnsafeBufferPointer { classes in
          WordScanner(preTokenizer: family, bytes: bytes, classes: classes).forEachWord { word in
            ends.append(String(decoding: bytes[..<word.upperBound], as: UTF8.self).unicodeScalars.count)
          }
        }
      }
      #expect(ends == expected.words[family.rawValue], "\(expected.text.debugDescription)")
    }
  }

  @Test(arguments: TokenizerModel.PreTokenizer.allCases)
  func `ids are those of Hugging Face tokenizers`(family: TokenizerModel.PreTokenizer) throws {
    let tokenizer = try Fixtures.tokenizer(family)
    for expected in try Fixtures.encoded() {
      let ids = try #require(expected.ids[family.rawValue])
      #expect(tokenizer.encode(expected.text) == ids, "\(expected.text.debugDescription)")
      #expect(
        tokenizer.encode(expected.text, parsingSpecialTokens: false) == expected.plain[family.rawValue] ?? ids,
        "\(expected.text.debugDescription)")
    }
  }

  @Test func `the begin-of-text token comes first only where it is asked for and expected`() throws {
    let llama = try Fixtures.tokenizer(.llamaBPE)
    let begin = try #require(llama.beginOfText)
    #expect(llama.text(of: begin) == "<|begin|>")
    #expect(llama.encode("", addingSpecialTokens: true) == [begin])
    #expect(llama.encode("a b", addingSpecialTokens: true) == [begin] + llama.encode("a b"))
    let gpt2 = try Fixtures.tokenizer(.gpt2)
    #expect(gpt2.encode("a b", addingSpecialTokens: true) == gpt2.encode("a b"))
  }

  @Test func `of added tokens that begin at one place the longest is taken`() throws {
    let tokenizer = try Tokenizer(Fixtures.bytesModel(control: ["<a", "<a>"], userDefined: ["<a>b"]))
    #expect(tokenizer.encode("<a>b<a><a").map(tokenizer.text(of:)) == ["<a>b", "<a>", "<a"])
  }

  @Test func `merges of equal rank go from left to right`() throws {
    let tokenizer = try Tokenizer(Fixtures.bytesModel(merges: ["a a", "aa a"]))
    #expect(tokenizer.encode("aaaaa").map(tokenizer.text(of:)) == ["aa", "aaa"])
  }

  @Test func `a word of 256 KiB is encoded in n log n steps`() throws {
    // Quadratic time would be felt here.
    let merges = (0..<10).map { level in
      let half = String(repeating: "a", count: 1 << level)
      return "\(half) \(half)"
    }
    let tokenizer = try Tokenizer(Fixtures.bytesModel(merges: merges))
    #expect(tokenizer.encode(String(repeating: "a", count: 1 << 18)).count == 1 << 8)
  }

  @Test func `threads share a tokenizer`() async throws {
    let tokenizer = try Fixtures.tokenizer(.qwen2)
    let texts = try Fixtures.encoded().map(\.text)
    let expected = texts.map { tokenizer.encode($0) }
    await withTaskGroup(of: [[Int32]].self) { group in
      for _ in 0..<4 { group.addTask { texts.map { tokenizer.encode($0) } } }
      for await ids in group { #expect(ids == expected) }
    }
  }
}
