extension GGUFFile {
  /// The model's hyper-parameters, by llama.cpp's keys.
  ///
  /// - Throws: ``CheckpointError`` where a key is missing, contradictory, or asks for what is not supported.
  func modelConfiguration() throws(CheckpointError) -> ModelConfiguration {
    let architecture = try architecture()
    let prefix = architecture.rawValue
    let headCount = try requiredInteger("\(prefix).attention.head_count")
    let hiddenSize = try requiredInteger("\(prefix).embedding_length")
    guard headCount > 0 else {
      throw .malformed(path: path, problem: "'\(prefix).attention.head_count' is \(headCount)")
    }
    let headDimension = try integer("\(prefix).attention.key_length") ?? hiddenSize / headCount
    try checkRotaryDimension(prefix, headDimension)
    guard let embeddings = tensor(named: "token_embd.weight") else {
      throw .missing(path: path, item: "tensor 'token_embd.weight'")
    }
    let epsilonKey = "\(prefix).attention.layer_norm_rms_epsilon"
    let window = try integer("\(prefix).attention.sliding_window").flatMap { $0 > 0 ? $0 : nil }
    try refuseSoftCaps(prefix)
    var configuration = ModelConfiguration(
      architecture: architecture,
      layerCount: try requiredInteger("\(prefix).block_count"),
      hiddenSize: hiddenSize,
      intermediateSize: try requiredInteger("\(prefix).feed_forward_length"),
      headCount: headCount,
      keyValueHeadCount: try integer("\(prefix).attention.head_count_kv") ?? headCount,
      headDimension: headDimension,
      vocabularySize: embeddings.shape[0],
      contextLength: try requiredInteger("\(prefix).context_length"),
      slidingWindow: window,
      normEpsilon: Float(try required(epsilonKey, float(epsilonKey))),
      ropeBase: try float("\(prefix).rope.freq_base") ?? 10_000,
      gateActivation: architecture == .gemma3 ? .geluTanh : .silu,
      tiedEmbeddings: tensor(named: "output.weight") == nil)
    if let problem = configuration.problem { throw .malformed(path: path, problem: problem) }
    configuration.ropeFrequencyDivisors = try ropeFrequencyDivisors(prefix, configuration)
    if architecture == .gemma3 { try readGemmaAttention(prefix, into: &configuration) }
    if let problem = configuration.problem { throw .malformed(path: path, problem: problem) }
    return configuration
  }

  private func architecture() throws(CheckpointError) -> Architecture {
    let key = "general.architecture"
    let name = try required(key, string(key))
    guard let architecture = Architecture(rawValue: name) else {
      throw .unsupported(
        path: path, feature: "the architecture '\(name)'", known: Architecture.allCases.map(\.rawValue))
    }
    return architecture
  }

  private func requiredInteger(_ key: String) throws(CheckpointError) -> Int { try required(key, integer(key)) }

  /// Heads that are rotated in part, or whose values have another width than their keys.
  private func checkRotaryDimension(_ prefix: String, _ headDimension: Int) throws(CheckpointError) {
    for key in ["\(prefix).rope.dimension_count", "\(prefix).attention.value_length"] {
      guard let size = try integer(key), size != headDimension else { continue }
      throw .unsupported(path: path, feature: "\(key) \(size)", known: ["the head dimension, \(headDimension)"])
    }
  }

  /// What llama.cpp knows of Gemma 3 where the file does not say it.
  private func readGemmaAttention(
    _ prefix: String, into configuration: inout ModelConfiguration
  ) throws(CheckpointError) {
    let period = try integer("\(prefix).attention.sliding_window_pattern") ?? 6
    guard period > 0 else {
      throw .malformed(path: path, problem: "'\(prefix).attention.sliding_window_pattern' is \(period)")
    }
    if configuration.slidingWindow != nil {
      configuration.globalLayers = (1...configuration.layerCount).map { $0.isMultiple(of: period) }
      configuration.localRopeBase = try float("\(prefix).rope.freq_base_swa") ?? 10_000
    }
    // The model of 27B parameters, which only its number of layers gives away.
    if configuration.layerCount == 62 {
      configuration.queryPreAttentionScalar = Double(configuration.hiddenSize / configuration.headCount)
    }
  }

  private func refuseSoftCaps(_ prefix: String) throws(CheckpointError) {
    for key in ["\(prefix).attn_logit_softcapping", "\(prefix).final_logit_softcapping"] {
      guard let cap = try float(key), cap != 0 else { continue }
      throw .unsupported(path: path, feature: "\(key) \(cap)", known: ["none"])
    }
  }

  /// Llama 3's divisors are stored as a tensor, a linear factor as metadata.
  private func ropeFrequencyDivisors(
    _ prefix: String, _ configuration: ModelConfiguration
  ) throws(CheckpointError) -> [Float]? {
    let stored = tensor(named: "rope_freqs.weight") == nil ? nil : try values(of: "rope_freqs.weight")
    guard let factor = try linearRopeFactor(prefix) else { return stored }
    return stored?.map { $0 * Float(factor) }
      ?? RopeScaling.linear(factor: factor).frequencyDivisors(
        headDimension: configuration.headDimension, base: configuration.ropeBase)
  }

  /// A file with a factor and no type means the linear one; 0 stands for none, as in llama.cpp.
  private func linearRopeFactor(_ prefix: String) throws(CheckpointError) -> Double? {
    switch try string("\(prefix).rope.scaling.type") {
    case "none": return nil
    case nil, "linear":
      let legacy = try float("\(prefix).rope.scale_linear")
      let factor = try float("\(prefix).rope.scaling.factor") ?? legacy ?? 1
      return factor == 0 || factor == 1 ? nil : factor
    case let type?:
      throw .unsupported(path: path, feature: "rope scaling '\(type)'", known: ["none", "linear", "rope_freqs.weight"])
    }
  }
}
