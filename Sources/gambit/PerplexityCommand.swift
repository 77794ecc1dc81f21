import ArgumentParser
import Evaluation
import Pipeline
import Reports

struct PerplexityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "perplexity",
    abstract: "Perplexity on held-out text, and how far a bundle is from its dense model there.",
    discussion: """
      Documents in file order, each followed by the model's end-of-text token, are joined and cut into \
      windows that do not overlap; every position of a window but its first is predicted and weighs the \
      same, and a last short window is left out. Standard errors are by document.

      A bundle runs with its own weights. The dense model beside it has those of --model where that is given, \
      the bundle's otherwise. Thresholds act on every position; with '--positions decode' the first half of each \
      window is a prompt, which is read densely and not counted, as 'gambit generate' reads prompts.
      """)

  @OptionGroup var measured: MeasuredOptions
  @OptionGroup var texts: TextOptions

  @Option(help: ArgumentHelp("Tokens a window.", valueName: "n"))
  var sequenceLength = 512

  @Option(help: ArgumentHelp("Tokens of text to read at most.", valueName: "n"))
  var maxTokens = Int.max

  @Option(help: "Where thresholds act: all positions, or the second half of each window, as when decoding.")
  var positions = MeasuredPositions.all

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func run() throws {
    let stage = EvaluateStage(
      files: texts.text, field: texts.field, sequenceLength: sequenceLength, maximumTokens: maxTokens,
      positions: positions, threads: threads.threads)
    let source = try measured.open()
    let others =
      source.thresholds == nil ? [] : [MeasuredWeights(source.weights, [source.thresholds])]
    let windows = try stage.windows(source.tokenizer, model: source.name)
    let (dense, sparse) = try stage.run(source.reference, windows, others, model: source.name, options.console)
    try show(PerplexityReport(source, dense: dense, sparse.first?.first, positions: positions))
  }

  private func show(_ report: PerplexityReport) throws {
    func error(_ value: Double?, _ digits: Int = 4) -> String { value.map { " ± \(Format.fixed($0, digits))" } ?? "" }
    var lines = ["perplexity \(Format.fixed(report.perplexity, 4)) over \(report.tokens) tokens"]
    lines.append("loss \(Format.fixed(report.nll, 4))\(error(report.nllStderr)) nats a token")
    if let kl = report.kl, let top1 = report.top1Agreement {
      lines.append("KL to the dense model \(Format.fixed(kl, 4))\(error(report.klStderr)) nats a token")
      lines.append("the dense model's most likely token at \(Format.percent(top1)) of positions")
      lines.append("activated parameters \(Format.percent(report.activatedShare)) of the dense model's")
    }
    let dense = report.dense.map { ", dense \(Format.bytes(Int($0.bytesPerToken)))" } ?? ""
    lines.append("weights read a token \(Format.bytes(Int(report.bytesPerToken)))\(dense)")
    try options.print(report, text: lines.joined(separator: "\n"))
  }
}

extension MeasuredPositions: ExpressibleByArgument {}
