import Foundation
import Testing
import Tokenizers

@Suite struct JSONTests {
  @Test(arguments: TokenizerModel.PreTokenizer.allCases)
  func `a written tokenizer reads back as the same model`(family: TokenizerModel.PreTokenizer) throws {
    var model = try Fixtures.model(family)
    model.endOfText = Int32(try #require(model.tokens.firstIndex(of: "<|end|>")))
    model.chatTemplate = "{{ \"a\\b\" }}\n\u{1}é"
    let tokenizer = try Tokenizer(model)
    let read = try TokenizerModel(json: tokenizer.json(), configuration: tokenizer.configurationJSON())
    #expect(read == model)
    #expect(try Tokenizer(read).json() == tokenizer.json())
  }

  @Test(arguments: TokenizerModel.PreTokenizer.allCases)
  func `the pre-tokenizer is recognised`(family: TokenizerModel.PreTokenizer) throws {
    let model = try Fixtures.model(family)
    #expect(model.preTokenizer == family)
    #expect(model.normalizes == (family == .qwen2))
    #expect(model.ignoresMerges == (family == .llamaBPE))
    #expect(model.addsBeginOfText == (family == .llamaBPE || family == .sentencePiece))
  }

  @Test func `the configuration names special tokens and the chat template`() throws {
    let configuration = #"""
      {"bos_token": {"content": "<|end|>", "lstrip": false}, "eos_token": "<|end|>", "add_bos_token": true,
       "chat_template": [{"name": "tools", "template": "t"}, {"name": "default", "template": "d"}]}
      """#
    let model = try TokenizerModel(
      json: Fixtures.data("gpt2.tokenizer.json"), configuration: Data(configuration.utf8))
    let end = try Tokenizer(model).id(of: "<|end|>")
    #expect(model.beginOfText == end)
    #expect(model.endOfText == end)
    #expect(model.addsBeginOfText)
    #expect(model.chatTemplate == "d")
  }

  @Test(arguments: [
    (#""type":"BPE""#, #""type":"Unigram""#, "model is Unigram"),
    (#""byte_fallback":false"#, #""byte_fallback":true"#, "byte_fallback"),
    (#""dropout":null"#, #""dropout":0.1"#, "dropout"),
    (#""normalizer":null"#, #""normalizer":{"type":"Lowercase"}"#, "normalizer is Lowercase"),
    (#""lstrip":false"#, #""lstrip":true"#, "added token"),
    (#""add_prefix_space":false"#, #""add_prefix_space":true"#, "pre_tokenizer is ByteLevel"),
    (#""pre_tokenizer":{"type":"ByteLevel""#, #""pre_tokenizer":{"type":"Metaspace""#, "pre_tokenizer is Metaspace"),
  ])
  func `a feature that would change ids is named`(found: String, replacement: String, message: String) throws {
    let text = String(decoding: try Fixtures.data("gpt2.tokenizer.json"), as: UTF8.self)
    try #require(text.contains(found))
    let json = Data(text.replacing(found, with: replacement, maxReplacements: 1).utf8)
    let error = #expect(throws: TokenizerError.self) { try TokenizerModel(json: json) }
    #expect(try #require(error).description.contains(message))
  }

  @Test(arguments: [
    "", "[]", "{", #"{"model": 1}"#, #"{"model": {"vocab": {"a": "b"}, "merges": []}}"#,
    #"{"model": {"vocab": {"a": 1e99}, "merges": []}}"#,
    #"{"model": {"vocab": {"a": 2000000000}, "merges": []}, "pre_tokenizer": {"type": "ByteLevel"}}"#,
    #"{"model": {"vocab": {"a": -1}, "merges": []}, "pre_tokenizer": {"type": "ByteLevel"}}"#,
    #"{"model": {"vocab": {"a": 0, "b": 0}, "merges": []}}"#,
    #"{"model": {"vocab": {"a": 0}, "merges": [["a"], 3]}}"#,
    String(repeating: "[", count: 100_000),
  ])
  func `hostile files are errors`(json: String) {
    #expect(throws: TokenizerError.self) { try TokenizerModel(json: Data(json.utf8)) }
  }

  @Test func `a truncated file is an error wherever it ends`() throws {
    let data = try Fixtures.data("gpt2.tokenizer.json")
    for length in stride(from: 0, to: data.count - 1, by: 97) {
      #expect(throws: TokenizerError.self) { try TokenizerModel(json: data.prefix(length)) }
    }
  }
}
