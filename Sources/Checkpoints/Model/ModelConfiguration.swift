/// The decoder families that Gambit can run. All share RMSNorm, rotary positions, grouped-query
/// attention and a gated FFN; they differ in biases, in norms, and in how far layers look back.
public enum Architecture: String, Sendable, Codable, CaseIterable {
  /// Llama 2 and 3, SmolLM2, Mistral.
  case llama
  /// Qwen2 and Qwen2.5: biases on query, key and value.
  case qwen2
  /// Qwen3: an RMSNorm over each head of query and key.
  case qwen3
  /// Gemma 3, text: norms behind attention and FFN too, most layers look back a window only, scaled embeddings.
  case gemma3
}

/// The activation `act` of the gated FFN `down(act(gate x) ⊙ up x)`.
public enum GateActivation: String, Sendable, Codable {
  case silu
  case geluTanh = "gelu_tanh"
}

/// The hyper-parameters of a model, whatever file they were read from.
public struct ModelConfiguration: Sendable, Equatable {
  public var architecture: Architecture
  public var layerCount: Int
  public var hiddenSize: Int
  public var intermediateSize: Int
  public var headCount: Int
  public var keyValueHeadCount: Int
  public var headDimension: Int
  public var vocabularySize: Int
  /// The longest sequence that the model was made for, in tokens.
  public var contextLength: Int
  /// Attention looks back at most this many tokens; `nil` where it is unlimited.
  public var slidingWindow: Int?
  /// The layers that look back without limit all the same, of Gemma 3 every sixth; `nil` where layers are alike.
  public var globalLayers: [Bool]?
  /// What scores are divided by the square root of; `nil` for the head dimension.
  public var queryPreAttentionScalar: Double?
  public var normEpsilon: Float
  public var ropeBase: Double
  /// Divisors of the `headDimension / 2` rotary frequencies (Llama 3's rope scaling); `nil` for all ones.
  public var ropeFrequencyDivisors: [Float]?
  /// Base of the rotary frequencies of layers with a window, which have no divisors; `nil` where layers are alike.
  public var localRopeBase: Double?
  public var gateActivation: GateActivation
  /// The output head is the embedding matrix.
  public var tiedEmbeddings: Bool

  public var hasAttentionBias: Bool { architecture == .qwen2 }
  public var hasQueryKeyNorm: Bool { architecture == .qwen3 || architecture == .gemma3 }
  /// What attention and FFN give is normed before it is added to the residual stream.
  public var hasPostNorms: Bool { architecture == .gemma3 }
  /// Embeddings are multiplied by this before the first layer, but not as output head.
  public var embeddingScale: Float { architecture == .gemma3 ? Float(hiddenSize).squareRoot() : 1 }
  /// Scores of attention are multiplied by this.
  public var attentionScale: Float { Float(1 / (queryPreAttentionScalar ?? Double(headDimension)).squareRoot()) }
  /// Width of the query projection's output, `headCount * headDimension`.
  public var queryWidth: Int { headCount * headDimension }
  /// Width of the key and of the value projection's output.
  public var keyValueWidth: Int { keyValueHeadCount * headDimension }

  public init(
    architecture: Architecture, layerCount: Int, hiddenSize: Int, intermediateSize: Int,
    headCount: Int, keyValueHeadCount: Int, headDimension: Int, vocabularySize: Int,
    contextLength: Int, slidingWindow: Int? = nil, globalLayers: [Bool]? = nil,
    queryPreAttentionScalar: Double? = nil, normEpsilon: Float, ropeBase: Double,
    ropeFrequencyDivisors: [Float]? = nil, localRopeBase: Double? = nil, gateActivation: GateActivation = .silu,
    tiedEmbeddings: Bool
  ) {
    self.architecture = architecture
    self.layerCount = layerCount
    self.hiddenSize = hiddenSize
    self.intermediateSize = intermediateSize
    self.headCount = headCount
    self.keyValueHeadCount = keyValueHeadCount
    self.headDimension = headDimension
    self.vocabularySize = vocabularySize
    self.contextLength = contextLength
    self.slidingWindow = slidingWindow
    self.globalLayers = globalLayers
    self.queryPreAttentionScalar = queryPreAttentionScalar
    self.normEpsilon = normEpsilon
    self.ropeBase = ropeBase
    self.ropeFrequencyDivisors = ropeFrequencyDivisors
    self.localRopeBase = localRopeBase
    self.gateActivation = gateActivation
    self.tiedEmbeddings = tiedEmbeddings
  }
}

extension ModelConfiguration {
  /// Whether a layer looks back over the window only.
  public func isLocal(layer: Int) -> Bool { slidingWindow != nil && globalLayers?[layer] != true }

  /// How many tokens a layer looks back at, itself included; `nil` where it is unlimited.
  public func slidingWindow(ofLayer layer: Int) -> Int? { isLocal(layer: layer) ? slidingWindow : nil }
}
