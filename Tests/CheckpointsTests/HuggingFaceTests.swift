import Files
import Foundation
import Testing

@testable import Checkpoints

@Suite struct HuggingFaceTests {
  @Test func configurationOfTheDirectory() throws {
    let checkpoint = try Checkpoint.open(Fixture.path("huggingface"))
    let configuration = checkpoint.configuration

    #expect(checkpoint.format == .huggingFace)
    #expect(checkpoint.name == "huggingface")
    #expect(configuration.architecture == .llama)
    #expect(configuration.layerCount == 2)
    #expect(configuration.headDimension == 8)
    #expect(configuration.keyValueHeadCount == 2)
    #expect(configuration.contextLength == 16384)
    #expect(configuration.normEpsilon == 1e-5)
    #expect(configuration.ropeBase == 500_000)
    #expect(configuration.tiedEmbeddings)
    #expect(configuration.slidingWindow == nil)
  }

  @Test func tokenizerOfTheDirectory() throws {
    let folder = try TemporaryFolder()
    let path = try folder.copy("huggingface")
    _ = try folder.write("{{ messages }}", "huggingface/chat_template.jinja")

    let tokenizer = try Checkpoint.open(path).tokenizer

    #expect(tokenizer.tokens.count == 48)
    #expect(tokenizer.kinds.last == .control)
    // tokenizer_config.json is not there, so generation_config.json names them.
    #expect(tokenizer.beginOfText == 1)
    #expect(tokenizer.endOfText == 2)
    #expect(tokenizer.chatTemplate == "{{ messages }}")
  }

  @Test func `a chat template of its own wins over the configuration's`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.copy("huggingface")
    let configuration = #"{"chat_template": [{"name": "rag", "template": "r"}, {"name": "default", "template": "d"}]}"#
    _ = try folder.write(configuration, "huggingface/tokenizer_config.json")
    #expect(try Checkpoint.open(path).tokenizer.chatTemplate == "d")

    _ = try folder.write("{{ messages }}\n", "huggingface/chat_template.jinja")
    #expect(try Checkpoint.open(path).tokenizer.chatTemplate == "{{ messages }}\n")
  }

  @Test(arguments: [
    (#"{"eos_token_id": [47, 1]}"#, 47), (#"{"eos_token_id": null}"#, 2), (#"{"eos_token_id": []}"#, 2),
  ])
  func endOfTextOfGenerationConfig(json: String, token: Int32) throws {
    let folder = try TemporaryFolder()
    let path = try folder.copy("huggingface")
    _ = try folder.write(json, "huggingface/generation_config.json")

    #expect(try Checkpoint.open(path).tokenizer.endOfText == token)
  }

  @Test(arguments: [
    ("generation_config.json", #"{"eos_token_id": 48}"#, "token 48 is not one of 48"),
    ("generation_config.json", #"{"eos_token_id": "x"}"#, "has the wrong type"),
    ("tokenizer.json", "{}", "has a tokenizer that cannot be used: "),
  ])
  func damageOfTheTokenizerIsExplained(name: String, json: String, problem: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.copy("huggingface")
    _ = try folder.write(json, "huggingface/\(name)")

    let message = try #require(message { _ = try Checkpoint.open(path).tokenizer })
    #expect(message.contains(problem), "\(message)")
  }

  @Test(arguments: ["llama3-v4", "llama3-v5", "linear-v4", "linear-v5"])
  func ropeDivisorsAreThoseOfTransformers(name: String) throws {
    let path = Fixture.path("rope/\(name).json")
    let expected = try Fixture.expected("rope.safetensors").values(of: name)

    let configuration = try HuggingFaceConfiguration(path: path).modelConfiguration(path: path)

    let divisors = try #require(configuration.ropeFrequencyDivisors)
    #expect(divisors.count == 32)
    // transformers computes in float32, Gambit in double.
    #expect(zip(divisors, expected).allSatisfy { abs($0 - $1) <= 1e-5 * $1 })
  }

  private static let base =
    #""hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4, "#
    + #""num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100"#

  private func configuration(_ json: String) throws -> ModelConfiguration {
    let folder = try TemporaryFolder()
    let path = try folder.write(json, "config.json")
    return try HuggingFaceConfiguration(path: path).modelConfiguration(path: path)
  }

  @Test(
    arguments: [
      (#""model_type": "mistral", "sliding_window": 4096"#, 4096),
      (#""model_type": "mistral", "sliding_window": null"#, nil),
      (#""model_type": "llama", "sliding_window": 4096"#, nil),
      (#""model_type": "qwen2", "sliding_window": 4096, "use_sliding_window": false"#, nil),
      (#""model_type": "qwen2", "sliding_window": 32, "use_sliding_window": true, "max_window_layers": 0"#, 32),
      (#""model_type": "qwen2", "sliding_window": 32, "use_sliding_window": true, "max_window_layers": 4"#, nil),
      (
        #""model_type": "qwen3", "sliding_window": 32, "use_sliding_window": true, "#
          + #""layer_types": ["sliding_attention", "sliding_attention", "sliding_attention", "sliding_attention"]"#, 32
      ),
    ] as [(String, Int?)])
  func slidingWindows(keys: String, window: Int?) throws {
    #expect(try configuration("{\(Self.base), \(keys)}").slidingWindow == window)
  }

  @Test(arguments: [
    (
      #""model_type": "gpt_neox""#,
      "the model type 'gpt_neox', which is not supported; known: mistral, gemma3_text, llama, qwen2, qwen3"
    ),
    (#""model_type": "gemma3", "text_config": {}"#, "the model type 'gemma3'"),
    (#""model_type": "gemma3_text", "final_logit_softcapping": 30"#, "final_logit_softcapping 30"),
    (#""model_type": "gemma3_text", "use_bidirectional_attention": true"#, "use_bidirectional_attention"),
    (#""model_type": "gemma3_text", "layer_types": ["full_attention"]"#, "layer types are 1 for 4 layers"),
    (#""model_type": "gemma3_text", "layer_types": ["x", "x", "x", "x"]"#, "a layer of type 'x'"),
    (#""model_type": "llama", "attention_bias": true"#, "attention_bias"),
    (#""model_type": "llama", "mlp_bias": true"#, "mlp_bias"),
    (#""model_type": "llama", "hidden_act": "relu""#, "the activation 'relu'"),
    (#""model_type": "llama", "head_dim": 7"#, "head dimension 7 is odd"),
    (#""model_type": "llama", "head_dim": 9000000000000000000"#, "head dimension is 9000000000000000000"),
    (#""model_type": "llama", "rms_norm_eps": "x""#, "'rms_norm_eps' has the wrong type"),
    (#""model_type": "llama", "rope_scaling": {"type": "yarn", "factor": 4}"#, "rope scaling 'yarn'"),
    (#""model_type": "llama", "rope_scaling": {"type": "linear"}"#, "the key 'factor' of its rope scaling"),
    (#""model_type": "llama", "rope_scaling": {"type": "linear", "factor": -1}"#, "divisors"),
    (#""model_type": "llama", "rope_parameters": {"partial_rotary_factor": 0.5}"#, "partial_rotary_factor 0.5"),
    (
      #""model_type": "qwen2", "sliding_window": 32, "use_sliding_window": true, "max_window_layers": 2"#,
      "2 layers only"
    ),
  ])
  func whatIsNotSupportedIsNamed(keys: String, problem: String) throws {
    let message = try #require(message { _ = try configuration("{\(Self.base), \(keys)}") })
    #expect(message.contains(problem), "\(message)")
  }

  @Test func absurdSizesDoNotTrap() {
    let json =
      #"{"model_type": "qwen2", "hidden_size": 64, "intermediate_size": 128, "vocab_size": 100, "#
      + #""num_hidden_layers": -9223372036854775808, "num_attention_heads": 4, "#
      + #""sliding_window": 32, "use_sliding_window": true}"#
    #expect(throws: CheckpointError.self) { try configuration(json) }
  }

  @Test(arguments: ["", "[]", "{}", #"{"model_type": 3}"#, "{\"model_type\": \"llama\", \"hidden_size\": 1e400}"])
  func otherJSONIsRefused(json: String) {
    #expect(throws: CheckpointError.self) { try configuration(json) }
  }

  @Test func shapesAreCheckedAgainstTheConfiguration() throws {
    let folder = try TemporaryFolder()
    let path = try folder.copy("huggingface")
    let json = try String(contentsOfFile: "\(path)/config.json", encoding: .utf8)
    _ = try folder.write(
      json.replacing(#""intermediate_size": 64"#, with: #""intermediate_size": 65"#), "huggingface/config.json")

    #expect(
      throws: CheckpointError.wrongShape(
        path: path, tensor: "model.layers.0.mlp.gate_proj.weight", shape: [64, 32], expected: [65, 32])
    ) { try Checkpoint.open(path) }
  }

  @Test func unknownTensorsAreRefused() throws {
    let folder = try TemporaryFolder()
    let path = try folder.copy("huggingface")
    let json = try String(contentsOfFile: "\(path)/config.json", encoding: .utf8)
    _ = try folder.write(
      json.replacing(#""num_hidden_layers": 2"#, with: #""num_hidden_layers": 1"#), "huggingface/config.json")

    let message = try #require(message { _ = try Checkpoint.open(path) })
    #expect(message.contains("a tensor 'model.layers.1."))
  }

  @Test(arguments: ["config.json", "model-00002-of-00003.safetensors", "model.safetensors.index.json"])
  func missingFilesAreNamed(name: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.copy("huggingface")
    try FileManager.default.removeItem(atPath: "\(path)/\(name)")

    let message = try #require(message { _ = try Checkpoint.open(path) })
    // Without an index, one file is expected.
    #expect(message.contains(name.replacing(".index.json", with: "")), "\(message)")
  }

  /// A node that computes some layers needs their shards, and the digests of the others.
  @Test func listedShardsMayBeElsewhere() throws {
    let folder = try TemporaryFolder()
    let path = try folder.copy("huggingface")
    let whole = try Checkpoint.open(path)
    let (hash, layers) = (try whole.hash, whole.configuration.layerCount)
    let names = (1...3).map { "model-0000\($0)-of-00003.safetensors" }
    let lines = try names.map { "\(try sha256(ofFile: "\(path)/\($0)"))  \($0)\n" }
    try FileManager.default.removeItem(atPath: "\(path)/\(names[1])")

    _ = try folder.write(lines.joined(), "huggingface/SHA256SUMS")
    let part = try Checkpoint.open(path)
    #expect(try part.hash == hash)
    #expect((0..<layers).contains { (try? part.weights.layer($0)) == nil })
    let lacking = try #require(message { for layer in 0..<layers { _ = try part.weights.layer(layer) } })
    #expect(lacking.contains("lacks the shard '\(names[1])'"), "\(lacking)")

    _ = try folder.write(
      lines.reversed().joined().replacing(lines[0].prefix(8), with: "00000000"), "huggingface/SHA256SUMS")
    let other = try #require(message { _ = try Checkpoint.open(path).hash })
    #expect(other.contains(names[0]) && other.contains("SHA256SUMS"), "\(other)")
    _ = try folder.write("model\n", "huggingface/SHA256SUMS")
    #expect(try #require(message { _ = try Checkpoint.open(path) }).contains("not a line of sha256sum's"))
  }

  @Test(arguments: [
    ("\"model-00001-of-00003.safetensors\"", "\"../model.safetensors\"", "is not the name of a shard"),
    ("\"model.norm.weight\"", "\"model.other.weight\"", "does not list tensor 'model.norm.weight'"),
    ("\"weight_map\"", "\"map\"", "has no 'weight_map'"),
  ])
  func contradictionsOfTheIndexAreExplained(old: String, new: String, problem: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.copy("huggingface")
    let name = "huggingface/model.safetensors.index.json"
    let json = try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
    _ = try folder.write(json.replacing(old, with: new), name)

    let message = try #require(message { _ = try Checkpoint.open(path) })
    #expect(message.contains(problem), "\(message)")
  }
}
