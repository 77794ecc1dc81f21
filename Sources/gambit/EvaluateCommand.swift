import ArgumentParser
import Checkpoints
import Evaluation
import Pipeline
import Reports
import SparseBundle
import ThresholdSolver
import Tokenizers

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Measures a model or a bundle.",
    subcommands: [PerplexityCommand.self, LogitsCommand.self, ThroughputCommand.self])
}

struct PerplexityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "perplexity",
    abstract: "Perplexity on held-out text; of a bundle also the mean KL to its dense model.",
    discussion: """
      Documents in file order, each followed by the model's end-of-text token, are joined and cut into \
      windows that do not overlap; every position of a window but its first is predicted and weighs the \
      same, and a last short window is left out. A bundle is sparse on every position.
      """)

  @Option(help: ArgumentHelp("A GGUF file, or a folder in Hugging Face's layout.", valueName: "path"))
  var model: String?

  @Option(help: ArgumentHelp("A bundle's folder.", valueName: "folder"))
  var bundle: String?

  @OptionGroup var texts: TextOptions

  @Option(help: ArgumentHelp("Tokens a window.", valueName: "n"))
  var sequenceLength = 512

  @Option(help: ArgumentHelp("Tokens of text to read at most.", valueName: "n"))
  var maxTokens = Int.max

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard (model == nil) != (bundle == nil) else { throw ValidationError("Give either --model or --bundle.") }
  }

  func run() throws {
    let stage = EvaluateStage(
      files: texts.text, field: texts.field, sequenceLength: sequenceLength, maximumTokens: maxTokens,
      threads: threads.threads)
    if let bundle {
      let opened = try ModelBundle(path: bundle)
      let measured = try stage.run(
        opened.weights, Tokenizer(opened.tokenizer), model: bundle, [opened.thresholds], options.console)
      let activated = ActivatedParameters(opened.configuration, shares: measured.sparse[0].shares)
      try show(Result(measured.sparse[0], activated))
    } else if let model {
      let opened = try Checkpoint.open(model)
      let measured = try stage.run(opened.weights, Tokenizer(opened.tokenizer), model: model, [], options.console)
      try show(Result(measured.dense, nil))
    }
  }

  private func show(_ result: Result) throws {
    var lines = ["perplexity \(Format.fixed(result.perplexity, 4)) over \(result.tokens) tokens"]
    if let kl = result.kl { lines.append("KL to the dense model \(Format.fixed(kl, 4)) nats a token") }
    if let share = result.activatedShare {
      lines.append("activated parameters \(Format.percent(share)) of the dense model's")
    }
    try options.print(result, text: lines.joined(separator: "\n"))
  }

  private struct Result: Encodable {
    var perplexity: Double
    var nll: Double
    var tokens: Int
    var kl: Double?
    var activatedParameters: Double?
    var activatedShare: Double?
    /// Shares dropped of this text.
    var realised: Thresholds.Shares?

    init(_ measured: Perplexity, _ activated: ActivatedParameters?) {
      perplexity = measured.perplexity
      nll = measured.nll
      tokens = measured.tokens
      kl = measured.kl
      activatedParameters = activated?.sparse
      activatedShare = activated?.share
      realised = measured.shares.isEmpty ? nil : Thresholds.Shares(meanOf: measured.shares)
    }
  }
}
