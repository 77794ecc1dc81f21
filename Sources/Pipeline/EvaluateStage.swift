import Checkpoints
import Corpus
import Evaluation
import Reports
import ThresholdSolver
import Tokenizers

/// held-out text and models → perplexity, and how far they are from the dense one
public struct EvaluateStage: Sendable {
  public var files: [String]
  public var field: String
  public var sequenceLength: Int
  public var maximumTokens: Int
  public var positions: MeasuredPositions
  public var threads: Int

  public init(
    files: [String], field: String = "text", sequenceLength: Int, maximumTokens: Int = .max,
    positions: MeasuredPositions = .all, threads: Int
  ) {
    self.files = files
    self.field = field
    self.sequenceLength = sequenceLength
    self.maximumTokens = maximumTokens
    self.positions = positions
    self.threads = threads
  }

  /// The dense model's figures, and those under each thresholds.
  public func run(
    _ weights: any WeightSource, _ tokenizer: Tokenizer, model: String, _ thresholds: [Thresholds], _ console: Console
  ) throws -> (dense: Perplexity, sparse: [Perplexity]) {
    let windows = try windows(tokenizer, model: model)
    let (dense, sparse) = try run(
      weights, windows, [MeasuredWeights(weights, thresholds)], model: model, console)
    return (dense, sparse[0])
  }

  /// The dense model's figures and those of others beside it, all on the same windows in one walk through the layers.
  ///
  /// - Parameters:
  ///   - windows: What ``windows(_:model:)`` made; other commands on them see the same text.
  ///   - model: What messages call the dense model.
  /// - Returns: Of each of the others one a thresholds, in their order.
  /// - Throws: ``PipelineError`` where the windows do not fit the model, or another has not the dense one's shape.
  public func run(
    _ dense: any WeightSource, _ windows: TokenWindows, _ others: [MeasuredWeights], model: String, _ console: Console
  ) throws -> (dense: Perplexity, others: [[Perplexity]]) {
    let c = dense.configuration
    try check(windows, c, model: model)
    for other in others.map(\.weights.configuration) {
      guard (other.hiddenSize, other.layerCount, other.vocabularySize) == (c.hiddenSize, c.layerCount, c.vocabularySize)
      else {
        throw PipelineError.badSetting(
          "model", reason: "what is compared with '\(model)' has not its shape: give models made from the same one")
      }
    }
    let tokens = Double(windows.windows.count * sequenceLength)
    return try console.task("evaluate", total: tokens, unit: "tokens") { task in
      try PerplexityMeasurement(dense, threads: threads, positions: positions)
        .run(windows, others) { task.advance(to: $0 * tokens) }
    }
  }

  /// What thresholds drop of the text, a layer each, where nobody asks what the model predicts.
  ///
  /// - Throws: ``PipelineError`` where the windows do not fit the model.
  func shares(
    _ weights: any WeightSource, _ windows: TokenWindows, _ thresholds: Thresholds, model: String, _ console: Console
  ) throws -> [Thresholds.Shares] {
    try check(windows, weights.configuration, model: model)
    let tokens = Double(windows.windows.count * sequenceLength)
    return try console.task("evaluate drift", total: tokens, unit: "tokens") { task in
      let layers = Double(weights.configuration.layerCount)
      return try ThresholdWalk(weights, threads: threads)
        .run(windows.windows, thresholds) { task.advance(to: Double($0) / layers * tokens) }.shares
    }
  }

  private func check(_ windows: TokenWindows, _ c: ModelConfiguration, model: String) throws {
    guard sequenceLength <= c.contextLength else {
      throw PipelineError.sequenceTooLong(length: sequenceLength, limit: c.contextLength)
    }
    guard windows.windows.joined().allSatisfy({ $0 >= 0 && $0 < c.vocabularySize }) else {
      throw PipelineError.foreignTokens(sample: files.joined(separator: ", "), model: model)
    }
  }

  /// The text, cut into windows.
  ///
  /// - Throws: `CorpusError`, or ``PipelineError`` where the text does not fill one window.
  public func windows(_ tokenizer: Tokenizer, model: String) throws -> TokenWindows {
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
    return tokenizer.begun(windows)
  }
}
