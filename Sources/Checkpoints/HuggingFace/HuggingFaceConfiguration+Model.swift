extension HuggingFaceConfiguration {
  /// The model's hyper-parameters; defaults are those of `transformers`.
  ///
  /// - Parameter path: what errors name.
  /// - Throws: ``CheckpointError`` where they contradict each other or ask for what is not supported.
  func modelConfiguration(path: String) throws(CheckpointError) -> ModelConfiguration {
    let architecture = try architecture(path)
    try refuseOptionalBiases(architecture, path)
    guard numAttentionHeads > 0 else {
      throw .malformed(path: path, problem: "'num_attention_heads' is \(numAttentionHeads)")
    }
    let isGemma = architecture == .gemma3
    let headDimension = headDim ?? (isGemma ? 256 : hiddenSize / numAttentionHeads)
    let base = ropeParameters?.all.ropeTheta ?? ropeTheta ?? (isGemma ? 1_000_000 : 10_000)
    var configuration = ModelConfiguration(
      architecture: architecture,
      layerCount: numHiddenLayers,
      hiddenSize: hiddenSize,
      intermediateSize: intermediateSize,
      headCount: numAttentionHeads,
      keyValueHeadCount: numKeyValueHeads ?? (isGemma ? 4 : numAttentionHeads),
      headDimension: headDimension,
      vocabularySize: vocabSize,
      contextLength: maxPositionEmbeddings ?? (isGemma ? 131_072 : 2048),
      normEpsilon: Float(rmsNormEps ?? 1e-6),
      ropeBase: base,
      gateActivation: try gateActivation(architecture, path),
      tiedEmbeddings: tieWordEmbeddings ?? isGemma)
    if let problem = configuration.problem { throw .malformed(path: path, problem: problem) }
    // These count with sizes that had to be checked first.
    if isGemma {
      try readGemmaAttention(into: &configuration, path)
    } else {
      configuration.slidingWindow = try slidingWindow(architecture, path)
    }
    let scaling = try scaling(path)
    configuration.ropeFrequencyDivisors =
      gambitRopeFrequencyDivisors ?? scaling.frequencyDivisors(headDimension: headDimension, base: base)
    if let problem = configuration.problem { throw .malformed(path: path, problem: problem) }
    return configuration
  }

  private func architecture(_ path: String) throws(CheckpointError) -> Architecture {
    // Mistral differs from Llama in its window only.
    if modelType == "mistral" { return .llama }
    let known = Dictionary(uniqueKeysWithValues: Architecture.allCases.map { ($0.modelType, $0) })
    guard let architecture = known[modelType] else {
      throw .unsupported(
        path: path, feature: "the model type '\(modelType)'", known: ["mistral"] + known.keys.sorted())
    }
    return architecture
  }

  private func refuseOptionalBiases(_ architecture: Architecture, _ path: String) throws(CheckpointError) {
    // Qwen2 has its biases whatever the key says.
    if attentionBias == true, architecture != .qwen2 {
      throw .unsupported(path: path, feature: "attention_bias", known: ["false"])
    }
    if mlpBias == true { throw .unsupported(path: path, feature: "mlp_bias", known: ["false"]) }
  }

  private func gateActivation(
    _ architecture: Architecture, _ path: String
  ) throws(CheckpointError) -> GateActivation {
    switch architecture == .gemma3 ? hiddenActivation ?? "gelu_pytorch_tanh" : hiddenAct {
    case nil, "silu", "swish": .silu
    case "gelu_pytorch_tanh", "gelu_new": .geluTanh
    case let name?:
      throw .unsupported(path: path, feature: "the activation '\(name)'", known: ["silu", "gelu_pytorch_tanh"])
    }
  }

  /// The window, where all layers have it. Qwen's key counts only if `use_sliding_window` is set, and
  /// then from layer `max_window_layers` on, unless `layer_types` lists it layer by layer.
  private func slidingWindow(_ architecture: Architecture, _ path: String) throws(CheckpointError) -> Int? {
    let isOn = modelType == "mistral" || (architecture != .llama && useSlidingWindow == true)
    guard isOn, let window = slidingWindow else { return nil }
    guard window > 0 else { throw .malformed(path: path, problem: "'sliding_window' is \(window)") }
    guard modelType != "mistral" else { return window }
    let types = layerTypes?.map { $0 == "sliding_attention" }
    let windowed = types?.filter { $0 }.count ?? max(0, numHiddenLayers - max(0, maxWindowLayers ?? 28))
    switch windowed {
    case 0: return nil
    case types?.count ?? numHiddenLayers: return window
    default:
      throw .unsupported(
        path: path, feature: "a sliding window in \(windowed) layers only", known: ["all layers", "none"])
    }
  }

  private func scaling(_ path: String) throws(CheckpointError) -> RopeScaling {
    guard let rope = ropeParameters?.all ?? ropeScaling else { return .none }
    if let share = rope.partialRotaryFactor, share != 1 {
      throw .unsupported(path: path, feature: "partial_rotary_factor \(share)", known: ["1"])
    }
    switch rope.ropeType ?? rope.type {
    case nil, "default": return .none
    case "linear": return .linear(factor: try required("factor", rope.factor, path))
    case "llama3":
      let low = try required("low_freq_factor", rope.lowFreqFactor, path)
      let high = try required("high_freq_factor", rope.highFreqFactor, path)
      guard low > 0, high > low else {
        throw .malformed(path: path, problem: "'high_freq_factor' \(high) is not above 'low_freq_factor' \(low)")
      }
      let context = rope.originalMaxPositionEmbeddings ?? maxPositionEmbeddings.map(Double.init)
      return .llama3(
        factor: try required("factor", rope.factor, path), lowFrequencyFactor: low, highFrequencyFactor: high,
        originalContext: try required("original_max_position_embeddings", context, path))
    case let type?:
      throw .unsupported(path: path, feature: "rope scaling '\(type)'", known: ["default", "linear", "llama3"])
    }
  }

  private func required<T>(_ key: String, _ value: T?, _ path: String) throws(CheckpointError) -> T {
    guard let value else { throw .missing(path: path, item: "the key '\(key)' of its rope scaling") }
    return value
  }
}
