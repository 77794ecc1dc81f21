import Checkpoints
import Corpus
import Evaluation
import Reports
import ThresholdSolver
import Tokenizers

/// held-out text and thresholds → perplexity and KL
public struct EvaluateStage: Sendable {
  public var files: [String]
  public var field: String
  public var sequenceLength: Int
  public var maximumTokens: Int
  public var threads: Int

  public init(files: [String], field: String = "text", sequenceLength: Int, maximumTokens: Int, threads: Int) {
    self.files = files
    self.field = field
    self.sequenceLength = sequenceLength
    self.maximumTokens = maximumTokens
    self.threads = threads
  }

  /// The dense model's figures, and those under each thresholds.
  public func run(
    _ weights: any WeightSource, _ tokenizer: Tokenizer, model: String, _ thresholds: [Thresholds], _ console: Console
  ) throws -> (dense: Perplexity, sparse: [Perplexity]) {
    let windows = try windows(tokenizer, model: model)
    guard sequenceLength <= weights.configuration.contextLength else {
      throw PipelineError.sequenceTooLong(length: sequenceLength, limit: weights.configuration.contextLength)
    }
    guard windows.joined().allSatisfy({ $0 >= 0 && $0 < weights.configuration.vocabularySize }) else {
      throw PipelineError.foreignTokens(sample: files.joined(separator: ", "), model: model)
    }
    let tokens = Double(windows.count * sequenceLength)
    return try console.task("evaluate", total: tokens, unit: "tokens") { task in
      try PerplexityMeasurement(weights, threads: threads).run(windows, thresholds) { task.advance(to: $0 * tokens) }
    }
  }

  private func windows(_ tokenizer: Tokenizer, model: String) throws -> [[Int32]] {
    guard sequenceLength > 1 else {
      throw PipelineError.badSetting("sequence length", reason: "a window of \(sequenceLength) tokens predicts nothing")
    }
    guard let endOfText = tokenizer.endOfText else { throw PipelineError.noEndOfText(model: model) }
    var windows = TokenWindows(length: sequenceLength, maximumTokens: maximumTokens)
    var tokens = 0
    let reader = try DocumentReader(patterns: files, field: field)
    while !windows.isFull, let document = try reader.next() {
      let encoded = tokenizer.encode(document.text)
      tokens += encoded.count + 1
      windows.append(encoded, endOfText: endOfText)
    }
    guard !windows.windows.isEmpty else {
      throw PipelineError.tooLittleText(files: files, tokens: tokens, needed: sequenceLength)
    }
    return tokenizer.begun(windows.windows)
  }
}
