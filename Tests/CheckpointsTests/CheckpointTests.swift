import Foundation
import LinearAlgebra
import Testing
import Tokenizers

@testable import Checkpoints

@Suite struct CheckpointTests {
  /// A fixture and the values that another implementation found in it.
  static let models = [
    ("llama.gguf", "llama.safetensors"), ("qwen2.gguf", "qwen2.safetensors"), ("qwen3.gguf", "qwen3.safetensors"),
    ("gemma3.gguf", "gemma3.safetensors"), ("huggingface", "huggingface.safetensors"),
  ]

  @Test(arguments: models)
  func weightsAreThoseOfTheReference(model: String, oracle: String) throws {
    let weights = try Checkpoint.open(Fixture.path(model)).weights
    let expected = try Fixture.expected(oracle)
    let configuration = weights.configuration

    for index in 0..<configuration.layerCount {
      let layer = try weights.layer(index)
      let prefix = "model.layers.\(index)"
      let attention = "\(prefix).self_attn"
      #expect(try layer.attentionNorm == expected.values(of: "\(prefix).input_layernorm.weight"))
      #expect(try layer.query.values == expected.values(of: "\(attention).q_proj.weight"))
      #expect(try layer.key.values == expected.values(of: "\(attention).k_proj.weight"))
      #expect(try layer.value.values == expected.values(of: "\(attention).v_proj.weight"))
      #expect(try layer.output.values == expected.values(of: "\(attention).o_proj.weight"))
      #expect(layer.queryBias == (try? expected.values(of: "\(attention).q_proj.bias")))
      #expect(layer.keyBias == (try? expected.values(of: "\(attention).k_proj.bias")))
      #expect(layer.valueBias == (try? expected.values(of: "\(attention).v_proj.bias")))
      #expect(layer.queryNorm == (try? expected.values(of: "\(attention).q_norm.weight")))
      #expect(layer.keyNorm == (try? expected.values(of: "\(attention).k_norm.weight")))
      let postNorm = try expected.values(of: "\(prefix).post_attention_layernorm.weight")
      if configuration.hasPostNorms {
        #expect(layer.attentionPostNorm == postNorm)
        #expect(try layer.ffnNorm == expected.values(of: "\(prefix).pre_feedforward_layernorm.weight"))
        #expect(try layer.ffnPostNorm == expected.values(of: "\(prefix).post_feedforward_layernorm.weight"))
      } else {
        #expect(layer.ffnNorm == postNorm && layer.attentionPostNorm == nil && layer.ffnPostNorm == nil)
      }
      #expect(try layer.gate.values == expected.values(of: "\(prefix).mlp.gate_proj.weight"))
      #expect(try layer.up.values == expected.values(of: "\(prefix).mlp.up_proj.weight"))
      #expect(try layer.down.values == expected.values(of: "\(prefix).mlp.down_proj.weight"))
      #expect(layer.query.rows == configuration.queryWidth)
      #expect(layer.down.columns == configuration.intermediateSize)
    }
    let head = configuration.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight"
    #expect(try weights.outputHead().values == expected.values(of: head))
    #expect(try weights.finalNorm() == expected.values(of: "model.norm.weight"))
  }

  @Test(arguments: models)
  func embeddingsAreRowsInTheOrderOfTokens(model: String, oracle: String) throws {
    let weights = try Checkpoint.open(Fixture.path(model)).weights
    let all = try Fixture.expected(oracle).values(of: "model.embed_tokens.weight")
    let tokens: [Int32] = [47, 0, 3, 3]

    let rows = try weights.embeddings(of: tokens)

    #expect(rows.values == tokens.flatMap { all[Int($0) * 32..<Int($0) * 32 + 32] })
    #expect(throws: CheckpointError.outOfRange(item: "token", index: 48, count: 48)) {
      try weights.embeddings(of: [0, 48])
    }
    #expect(throws: CheckpointError.outOfRange(item: "token", index: -1, count: 48)) {
      try weights.embeddings(of: [-1])
    }
    #expect(throws: CheckpointError.outOfRange(item: "layer", index: 2, count: 2)) { try weights.layer(2) }
  }

  @Test(arguments: models)
  func parametersAreCountedOnce(model: String, oracle: String) throws {
    let expected = try Fixture.expected(oracle).header.tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
    #expect(try Checkpoint.open(Fixture.path(model)).parameterCount == expected)
  }

  @Test func configurationOfLlamaGGUF() throws {
    let checkpoint = try Checkpoint.open(Fixture.path("llama.gguf"))

    #expect(checkpoint.format == .gguf)
    #expect(checkpoint.name == "Tiny llama")
    #expect(
      checkpoint.configuration
        == ModelConfiguration(
          architecture: .llama, layerCount: 2, hiddenSize: 32, intermediateSize: 64, headCount: 4,
          keyValueHeadCount: 2, headDimension: 8, vocabularySize: 48, contextLength: 256, normEpsilon: 1e-5,
          ropeBase: 50_000, ropeFrequencyDivisors: [1, 1, 2.5, 8], tiedEmbeddings: false))
  }

  @Test func configurationOfQwen3GGUF() throws {
    let configuration = try Checkpoint.open(Fixture.path("qwen3.gguf")).configuration

    #expect(configuration.architecture == .qwen3)
    #expect(configuration.headDimension == 16)
    #expect(configuration.tiedEmbeddings)
    #expect(configuration.ropeFrequencyDivisors == nil)
  }

  @Test func tokenizerOfGGUF() throws {
    let llama = try Checkpoint.open(Fixture.path("llama.gguf")).tokenizer
    let qwen = try Checkpoint.open(Fixture.path("qwen2.gguf")).tokenizer

    #expect(llama.preTokenizer == .llamaBPE)
    #expect(llama.tokens.count == 48)
    #expect(llama.tokens.suffix(3) == ["!!", "<extra>", "<|end|>"])
    #expect(llama.kinds.suffix(3) == [.normal, .userDefined, .control])
    #expect(llama.merges == ["! !"])
    #expect(llama.beginOfText == 2)
    #expect(llama.endOfText == 47)
    #expect(llama.addsBeginOfText && llama.ignoresMerges)
    #expect(qwen.preTokenizer == .qwen2)
    #expect(!qwen.addsBeginOfText && !qwen.ignoresMerges)
    #expect(qwen.chatTemplate == "{{ messages }}")
  }

  @Test(arguments: ["qwen2.gguf", "huggingface"])
  func hashIsThatOfSha256sum(model: String) throws {
    let hashes = try JSONDecoder().decode([String: String].self, from: Data(Fixture.bytes("hashes.json")))
    let checkpoint = try Checkpoint.open(Fixture.path(model))

    #expect(try checkpoint.hash == hashes[model])
    #expect(try checkpoint.hash == hashes[model])
  }

  @Test func hashOfDirectoryFollowsEachFile() throws {
    let folder = try TemporaryFolder()
    let path = try folder.copy("huggingface")
    let before = try Checkpoint.open(path).hash
    #expect(try Checkpoint.open(Fixture.path("huggingface")).hash == before)

    _ = try folder.write("{}", "huggingface/tokenizer_config.json")

    #expect(try Checkpoint.open(path).hash != before)
  }
}
