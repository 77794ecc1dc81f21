import Foundation

extension ModelConfiguration {
  /// Reads a `config.json`.
  ///
  /// - Throws: ``CheckpointError`` where the file cannot be read, or describes what is not supported.
  public init(huggingFaceConfiguration path: String) throws(CheckpointError) {
    self = try HuggingFaceConfiguration(path: path).modelConfiguration(path: path)
  }

  /// A `config.json` for `transformers`. The same configuration always gives the same bytes.
  ///
  /// Rotary divisors that no published kind of scaling explains are written under a key of our own,
  /// which ``init(huggingFaceConfiguration:)`` reads.
  ///
  /// - Parameters:
  ///   - weightType: `f32`, `f16` or `bf16`.
  ///   - module: A Python module beside the file whose class `Gambit…ForCausalLM` makes the model; none unless given.
  public func huggingFaceJSON(
    beginOfText: Int32?, endOfText: Int32?, weightType: String, sparseModule module: String? = nil
  ) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try encoder.encode(
      Written(
        architectures: [className], modelType: modelType, hiddenSize: hiddenSize, intermediateSize: intermediateSize,
        numHiddenLayers: layerCount, numAttentionHeads: headCount, numKeyValueHeads: keyValueHeadCount,
        headDim: headDimension, vocabSize: vocabularySize, maxPositionEmbeddings: contextLength,
        rmsNormEps: Double(normEpsilon.description) ?? Double(normEpsilon), ropeTheta: ropeBase,
        ropeScaling: ropeScaling.map(Written.Rope.init),
        gambitRopeFrequencyDivisors: ropeScaling == nil ? ropeFrequencyDivisors : nil,
        ropeLocalBaseFreq: localRopeBase, hiddenAct: isGemma ? nil : activationName,
        hiddenActivation: isGemma ? activationName : nil, tieWordEmbeddings: tiedEmbeddings,
        attentionBias: hasAttentionBias, slidingWindow: slidingWindow,
        useSlidingWindow: isQwen ? slidingWindow.map { _ in true } : nil,
        maxWindowLayers: isQwen ? slidingWindow.map { _ in 0 } : nil,
        layerTypes: isGemma
          ? (0..<layerCount).map { isLocal(layer: $0) ? "sliding_attention" : "full_attention" } : nil,
        queryPreAttnScalar: isGemma ? queryPreAttentionScalar ?? Double(headDimension) : nil,
        torchDtype: ["f16": "float16", "bf16": "bfloat16"][weightType] ?? "float32",
        bosTokenId: beginOfText, eosTokenId: endOfText,
        autoMap: module.map { ["AutoModelForCausalLM": "\($0).Gambit\(className)"] }, sparse: module.map { _ in true }))
  }

  private var modelType: String {
    architecture == .llama && slidingWindow != nil ? "mistral" : architecture.modelType
  }

  private var isGemma: Bool { architecture == .gemma3 }
  private var isQwen: Bool { architecture == .qwen2 || architecture == .qwen3 }
  private var activationName: String { gateActivation == .silu ? "silu" : "gelu_pytorch_tanh" }

  private var className: String {
    switch modelType {
    case "mistral": "MistralForCausalLM"
    case "qwen2": "Qwen2ForCausalLM"
    case "qwen3": "Qwen3ForCausalLM"
    case "gemma3_text": "Gemma3ForCausalLM"
    default: "LlamaForCausalLM"
    }
  }

  /// The kind of scaling that makes these divisors: GGUF files hold the divisors alone.
  private var ropeScaling: RopeScaling? {
    guard let divisors = ropeFrequencyDivisors, let largest = divisors.max() else { return nil }
    let published: [RopeScaling] = [
      .linear(factor: Double(largest)),
      .llama3(factor: Double(largest), lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8192),
    ]
    return published.first { scaling in
      let candidate = scaling.frequencyDivisors(headDimension: headDimension, base: ropeBase) ?? []
      return zip(candidate, divisors).allSatisfy { abs($0 - $1) <= 1e-6 * $1 }
    }
  }
}

/// The keys of `config.json` in our writing; absent ones are left out.
private struct Written: Encodable {
  var architectures: [String]
  var modelType: String
  var hiddenSize: Int
  var intermediateSize: Int
  var numHiddenLayers: Int
  var numAttentionHeads: Int
  var numKeyValueHeads: Int
  var headDim: Int
  var vocabSize: Int
  var maxPositionEmbeddings: Int
  var rmsNormEps: Double
  var ropeTheta: Double
  var ropeScaling: Rope?
  var gambitRopeFrequencyDivisors: [Float]?
  var ropeLocalBaseFreq: Double?
  var hiddenAct: String?
  var hiddenActivation: String?
  var tieWordEmbeddings: Bool
  var attentionBias: Bool
  var slidingWindow: Int?
  var useSlidingWindow: Bool?
  var maxWindowLayers: Int?
  var layerTypes: [String]?
  var queryPreAttnScalar: Double?
  var torchDtype: String
  var bosTokenId: Int32?
  var eosTokenId: Int32?
  var autoMap: [String: String]?
  var sparse: Bool?

  struct Rope: Encodable {
    var ropeType: String
    var factor: Double?
    var lowFreqFactor: Double?
    var highFreqFactor: Double?
    var originalMaxPositionEmbeddings: Int?

    init(_ scaling: RopeScaling) {
      switch scaling {
      case .none:
        ropeType = "default"
      case .linear(let factor):
        ropeType = "linear"
        self.factor = factor
      case .llama3(let factor, let low, let high, let context):
        ropeType = "llama3"
        self.factor = factor
        lowFreqFactor = low
        highFreqFactor = high
        originalMaxPositionEmbeddings = Int(context)
      }
    }
  }
}
