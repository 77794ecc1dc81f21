import Evaluation
import Reports
import SparseBundle
import SparseRuntime
import ThresholdSolver
import Tokenizers

/// prompt → text, by the reference decoder
public struct GenerateStage: Sendable {
  public var maximumTokens: Int
  public var temperature: Double
  public var seed: UInt64
  /// Keep every channel.
  public var dense: Bool

  public init(maximumTokens: Int, temperature: Double = 0, seed: UInt64 = 0, dense: Bool = false) {
    self.maximumTokens = maximumTokens
    self.temperature = temperature
    self.seed = seed
    self.dense = dense
  }

  public struct Output: Sendable {
    public var text: String
    public var ids: [Int32]
    /// Of decoding, after the prompt.
    public var tokensPerSecond: Double
    /// The weights that decoding read, as a share of the dense model's.
    public var activatedShare: Double
  }

  /// Reads the prompt densely, then decodes until the model ends the text.
  ///
  /// - Parameter emit: Handed the text as it grows.
  /// - Throws: ``PipelineError`` where the prompt fills the model's context; the text ends where it is full.
  public func run(_ bundle: ModelBundle, prompt: String, emit: (String) -> Void = { _ in }) throws -> Output {
    let tokenizer = try Tokenizer(bundle.tokenizer)
    let prompt = tokenizer.encode(prompt, addingSpecialTokens: true)
    guard let last = prompt.last else {
      throw PipelineError.badSetting("prompt", reason: "it has no token: give some text")
    }
    guard prompt.allSatisfy({ $0 < bundle.configuration.vocabularySize }) else {
      throw PipelineError.foreignTokens(sample: BundleFile.tokenizer, model: bundle.path)
    }
    let context = bundle.configuration.contextLength
    guard prompt.count < context else { throw PipelineError.sequenceTooLong(length: prompt.count, limit: context) }
    let maximumTokens = min(maximumTokens, context - prompt.count)
    let length = prompt.count + maximumTokens
    var decoder = try ReferenceDecoder(SparseModel(bundle), capacity: length)
    for token in prompt.dropLast() { _ = decoder.step(token, .dense) }

    var sampler = TokenSampler(temperature: temperature, seed: seed)
    var stream = StreamingDecoder(tokenizer)
    var output = Output(text: "", ids: [], tokensPerSecond: 0, activatedShare: 1)
    var token = last
    let start = ContinuousClock.now
    while output.ids.count < maximumTokens {
      token = sampler.next(decoder.step(token, dense ? .dense : .thresholds))
      guard token != tokenizer.endOfText else { break }
      output.ids.append(token)
      let piece = stream.append(token)
      output.text += piece
      emit(piece)
    }
    let rest = stream.finish()
    output.text += rest
    emit(rest)
    let (seconds, attoseconds) = start.duration(to: .now).components
    let elapsed = Double(seconds) + Double(attoseconds) * 1e-18
    output.tokensPerSecond = Double(decoder.position - prompt.count + 1) / max(elapsed, 1e-9)
    let shares = [Thresholds.Shares](repeating: decoder.decided.shares, count: bundle.configuration.layerCount)
    output.activatedShare = ActivatedParameters(bundle.configuration, shares: shares).share
    return output
  }
}
