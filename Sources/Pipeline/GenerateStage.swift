import ChatTemplates
import Evaluation
import Reports
import SparseBundle
import SparseKernels
import SparseRuntime
import ThresholdSolver
import Tokenizers

/// prompt → text, by the fast engine or the plain oracle
public struct GenerateStage: Sendable {
  public var maximumTokens: Int
  public var sampling: SamplingOptions
  /// Keep every channel.
  public var dense: Bool
  /// Thresholds also cut while the prompt is read.
  public var sparsePrompt: Bool
  /// Decode with the reference decoder.
  public var oracle: Bool
  public var threads: Int
  /// What quantised weights are multiplied with; what the bundle's manifest says where `nil`.
  public var activations: BundleManifest.Weights.Activations?
  /// The prompt is a user's message, put into the model's chat template; with a system message before it where there
  /// is one.
  public var chat: Chat?
  /// Texts of tokens that end the text, beside the model's own.
  public var stopTokens: [String]

  public init(
    maximumTokens: Int, sampling: SamplingOptions = SamplingOptions(), dense: Bool = false, sparsePrompt: Bool = false,
    oracle: Bool = false, threads: Int = 1, activations: BundleManifest.Weights.Activations? = nil,
    chat: Chat? = nil, stopTokens: [String] = []
  ) {
    self.maximumTokens = maximumTokens
    self.sampling = sampling
    self.dense = dense
    self.sparsePrompt = sparsePrompt
    self.oracle = oracle
    self.threads = threads
    self.activations = activations
    self.chat = chat
    self.stopTokens = stopTokens
  }

  public struct Chat: Sendable {
    public var system: String?

    public init(system: String? = nil) { self.system = system }
  }

  public struct Output: Sendable {
    public var text: String
    public var ids: [Int32]
    /// Of decoding, after the prompt.
    public var tokensPerSecond: Double
    /// The weights that decoding read, as a share of the dense model's.
    public var activatedShare: Double
  }

  /// Reads the prompt, then decodes until the model ends the text.
  ///
  /// - Parameter emit: Handed the text as it grows.
  /// - Throws: ``PipelineError`` where the prompt fills the model's context; the text ends where it is full.
  public func run(
    _ bundle: ModelBundle, prompt: String, _ console: Console, emit: (String) -> Void = { _ in }
  ) throws -> Output {
    let tokenizer = try Tokenizer(bundle.tokenizer)
    let prompt = try tokens(of: prompt, tokenizer, bundle)
    let limit = min(maximumTokens, bundle.configuration.contextLength - prompt.count)
    let capacity = prompt.count + limit
    let precision = ActivationPrecision(activations ?? bundle.manifest.weights.activations)
    if oracle {
      var decoder = try ReferenceDecoder(SparseModel(bundle), capacity: capacity, precision: precision)
      return try generate(&decoder, tokenizer, bundle, prompt, limit, emit)
    }
    var engine = try SparseEngine(
      bundle, Self.weights(of: bundle, console), capacity: capacity, threads: threads, precision: precision)
    return try generate(&engine, tokenizer, bundle, prompt, limit, emit)
  }

  /// The bundle's unpacked weights, from the cache where they are in it.
  static func weights(of bundle: ModelBundle, _ console: Console) throws -> UnpackedWeights {
    let cache = WeightCache.standard()
    guard try !cache.holds(bundle) else { return try cache.weights(of: bundle) }
    let bytes = Double(bundle.weights.unpackedSize)
    return try console.task("unpack weights", total: bytes, unit: "bytes") { task in
      try cache.weights(of: bundle) { task.advance(to: $0 * bytes) }
    }
  }

  private func generate(
    _ decoder: inout some TokenDecoder, _ tokenizer: Tokenizer, _ bundle: ModelBundle, _ prompt: [Int32], _ limit: Int,
    _ emit: (String) -> Void
  ) throws -> Output {
    var sampler = TokenSampler(sampling)
    var stream = StreamingDecoder(tokenizer)
    var text = ""
    func show(_ piece: String) {
      text += piece
      emit(piece)
    }
    var generation = Generation()
    try generation.run(
      &decoder, &sampler, prompt: prompt, limit: limit, stop: try stop(tokenizer), sparse: !dense,
      sparsePrompt: sparsePrompt
    ) { show(stream.append($0)) }
    show(stream.finish())

    let shares = [Thresholds.Shares](repeating: decoder.decided.shares, count: bundle.configuration.layerCount)
    return Output(
      text: text, ids: generation.tokens, tokensPerSecond: generation.tokensPerSecond,
      activatedShare: ActivatedParameters(bundle.configuration, shares: shares).share)
  }

  /// The prompt's tokens, which leave at least one for the model to say.
  func tokens(of prompt: String, _ tokenizer: Tokenizer, _ bundle: ModelBundle) throws -> [Int32] {
    let tokens =
      try chat.map { try tokenizer.encode(conversation(prompt, $0, tokenizer, bundle)) }
      ?? tokenizer.encode(prompt, addingSpecialTokens: true)
    guard !tokens.isEmpty else { throw PipelineError.badSetting("prompt", reason: "it has no token: give some text") }
    guard tokens.allSatisfy({ $0 < bundle.configuration.vocabularySize }) else {
      throw PipelineError.foreignTokens(sample: BundleFile.tokenizer, model: bundle.path)
    }
    let context = bundle.configuration.contextLength
    guard tokens.count < context else { throw PipelineError.sequenceTooLong(length: tokens.count, limit: context) }
    return tokens
  }

  /// The text that the model's template makes of a message; it spells special tokens out.
  private func conversation(
    _ message: String, _ chat: Chat, _ tokenizer: Tokenizer, _ bundle: ModelBundle
  ) throws -> String {
    guard let template = try bundle.tokenizer.chatTemplate else {
      throw PipelineError.badSetting("chat", reason: "this model has no chat template: leave --chat out")
    }
    let system = chat.system.map { [ChatMessage(role: .system, content: $0)] } ?? []
    return try ChatTemplate(template).prompt(
      for: system + [ChatMessage(role: .user, content: message)],
      beginOfText: tokenizer.beginOfText.flatMap(tokenizer.text(of:)),
      endOfText: tokenizer.endOfText.flatMap(tokenizer.text(of:)))
  }

  /// The tokens that end a text.
  func stop(_ tokenizer: Tokenizer) throws -> Set<Int32> {
    var stop = Set([tokenizer.endOfText].compactMap(\.self))
    for text in stopTokens {
      let tokens = tokenizer.encode(text)
      guard tokens.count == 1 else {
        throw PipelineError.badSetting("stop", reason: "'\(text)' is \(tokens.count) tokens, not one")
      }
      stop.insert(tokens[0])
    }
    return stop
  }
}
