import Evaluation
import Reports
import SparseBundle
import SparseRuntime
import Tokenizers

/// prompts and a bundle → how its text differs from the dense model's
public struct ContinuationsStage: Sendable {
  /// Those of the program where there are none.
  public var prompts: [String]
  /// Tokens behind each prompt at most.
  public var tokens: Int
  public var threads: Int

  public init(prompts: [String] = [], tokens: Int = 64, threads: Int = 1) {
    self.prompts = prompts.isEmpty ? BuiltInText.prompts : prompts
    self.tokens = tokens
    self.threads = threads
  }

  /// Continues each prompt twice with the fast engine, each time with the most likely token; prompts are read densely.
  ///
  /// - Throws: ``PipelineError`` where a prompt has no token, or is as long as the model's context.
  public func run(_ bundle: ModelBundle, _ console: Console) throws -> ContinuationsReport {
    let tokenizer = try Tokenizer(bundle.tokenizer)
    let stage = GenerateStage(maximumTokens: tokens)
    let stop = try stage.stop(tokenizer)
    let encoded = try prompts.map { try stage.tokens(of: $0, tokenizer, bundle) }
    let capacity = min(bundle.configuration.contextLength, (encoded.map(\.count).max() ?? 0) + tokens)
    var engine = try SparseEngine(
      bundle, GenerateStage.weights(of: bundle, console), capacity: capacity, threads: threads)

    let total = Double(2 * prompts.count * tokens)
    let texts = try console.task("evaluate continuations", total: total, unit: "tokens") { task in
      try encoded.map { prompt in
        let texts = try [false, true].map { sparse in
          engine.reset()
          var (generation, sampler) = (Generation(), TokenSampler())
          try generation.run(
            &engine, &sampler, prompt: prompt, limit: min(tokens, capacity - prompt.count), stop: stop, sparse: sparse)
          task.advance(by: Double(tokens))
          return generation.tokens
        }
        return ContinuationComparison(dense: texts[0], sparse: texts[1])
      }
    }
    return ContinuationsReport(texts, prompts: prompts, tokens: tokens, weights: bundle.weights.type, tokenizer)
  }
}
