import Testing

@testable import Checkpoints

/// What Gemma 3 has beyond other architectures, from either format.
@Suite struct GemmaTests {
  private func configuration(_ json: String) throws -> ModelConfiguration {
    let folder = try TemporaryFolder()
    return try ModelConfiguration(huggingFaceConfiguration: folder.write(json, "config.json"))
  }

  /// As the 4B model's `config.json` says it in the keys of transformers 4 and 5.
  @Test(arguments: [
    #""rope_theta": 1e6, "rope_local_base_freq": 1e4, "rope_scaling": {"rope_type": "linear", "factor": 8.0}, "#
      + #""sliding_window_pattern": 3"#,
    #""rope_parameters": {"sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}, "full_attention": "#
      + #"{"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0}}, "layer_types": ["sliding_attention", "#
      + #""sliding_attention", "full_attention", "sliding_attention"]"#,
  ])
  func configurationOfEitherGeneration(keys: String) throws {
    let read = try configuration(
      #"{"model_type": "gemma3_text", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4, "#
        + #""num_attention_heads": 8, "vocab_size": 100, "head_dim": 16, "query_pre_attn_scalar": 24, "#
        + #""sliding_window": 32, \#(keys)}"#)
    let expected = ModelConfiguration(
      architecture: .gemma3, layerCount: 4, hiddenSize: 64, intermediateSize: 128, headCount: 8, keyValueHeadCount: 4,
      headDimension: 16, vocabularySize: 100, contextLength: 131_072, slidingWindow: 32,
      globalLayers: [false, false, true, false], queryPreAttentionScalar: 24, normEpsilon: 1e-6, ropeBase: 1e6,
      ropeFrequencyDivisors: [Float](repeating: 8, count: 8), localRopeBase: 1e4, gateActivation: .geluTanh,
      tiedEmbeddings: true)
    #expect(read == expected)
    #expect(read.embeddingScale == 8)
    #expect((0..<4).map(read.slidingWindow(ofLayer:)) == [32, 32, nil, 32])

    let json = try read.huggingFaceJSON(beginOfText: 2, endOfText: 1, weightType: "f32")
    #expect(try configuration(String(decoding: json, as: UTF8.self)) == expected)
  }

  @Test func configurationAndTokenizerOfGGUF() throws {
    let checkpoint = try Checkpoint.open(Fixture.path("gemma3.gguf"))
    let configuration = checkpoint.configuration
    #expect(configuration.architecture == .gemma3)
    #expect(configuration.slidingWindow == 5)
    // One in two layers is global, as the file says.
    #expect(configuration.globalLayers == [false, true])
    #expect(configuration.ropeBase == 50_000 && configuration.localRopeBase == 10_000)
    #expect(configuration.gateActivation == .geluTanh)
    #expect(configuration.tiedEmbeddings)

    let tokenizer = try checkpoint.tokenizer
    #expect(tokenizer.preTokenizer == .sentencePiece)
    #expect(tokenizer.merges == ["▁ a", "▁a b", "▁ ab", "a b"])
    #expect(tokenizer.kinds.contains(.byte))
    #expect(tokenizer.addsBeginOfText && tokenizer.beginOfText == 2)
  }
}
