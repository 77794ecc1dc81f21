import Evaluation
import SparseBundle
import Tokenizers

/// What `gambit evaluate continuations` found. Figures are means over prompts, each weighing the same; standard errors
/// are absent of a single prompt.
public struct ContinuationsReport: Sendable, Encodable {
  public struct Repetition: Sendable, Encodable {
    public var dense: Double
    public var sparse: Double
  }

  public struct Continuation: Sendable, Encodable {
    public var prompt: String
    public var dense: String
    public var sparse: String
    public var equalPrefix: Int
    public var equalShare: Double
    public var repetition: Repetition
  }

  public var prompts: Int
  /// Behind each prompt at most.
  public var tokens: Int
  public var weights: WeightType
  /// Positions with the same token in both texts.
  public var equalShare: Double
  public var equalShareStderr: Double?
  /// Positions before the first token that differs.
  public var equalPrefixShare: Double
  public var equalPrefixShareStderr: Double?
  /// Runs of four tokens that occur earlier in the same text.
  public var repetition: Repetition
  /// The sparse share of these less the dense one, paired by prompt.
  public var repetitionIncreaseStderr: Double?
  public var continuations: [Continuation]

  init(
    _ texts: [ContinuationComparison], prompts: [String], tokens: Int, weights: WeightType, _ tokenizer: Tokenizer
  ) {
    func mean(_ value: (ContinuationComparison) -> Double) -> Estimate {
      Estimate(sums: texts.map(value), counts: [Int](repeating: 1, count: texts.count))
    }
    func repetition(_ text: ContinuationComparison) -> Repetition {
      Repetition(
        dense: ContinuationComparison.repetition(of: text.dense),
        sparse: ContinuationComparison.repetition(of: text.sparse))
    }
    self.prompts = prompts.count
    self.tokens = tokens
    self.weights = weights
    let (equal, prefix) = (mean(\.equalShare), mean(\.equalPrefixShare))
    (equalShare, equalShareStderr) = (equal.mean, equal.standardError)
    (equalPrefixShare, equalPrefixShareStderr) = (prefix.mean, prefix.standardError)
    self.repetition = Repetition(
      dense: mean { repetition($0).dense }.mean, sparse: mean { repetition($0).sparse }.mean)
    repetitionIncreaseStderr = mean { repetition($0).sparse - repetition($0).dense }.standardError
    continuations = zip(texts, prompts).map { text, prompt in
      Continuation(
        prompt: prompt, dense: tokenizer.decode(text.dense), sparse: tokenizer.decode(text.sparse),
        equalPrefix: text.equalPrefix, equalShare: text.equalShare, repetition: repetition(text))
    }
  }
}
