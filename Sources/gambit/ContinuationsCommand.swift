import ArgumentParser
import Pipeline
import Reports
import SparseBundle

struct ContinuationsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "continuations", abstract: "How a bundle's text differs from its dense model's.",
    discussion: """
      The fast engine continues each prompt twice, dense and sparse, each time with the most likely token. Printed are \
      the share of positions that hold the same token, the share before the first that differs, and how often either \
      text repeats itself: of its runs of four tokens, the share that occurs earlier in it. Unless --prompts is given, beginnings of a built-in text are \
      continued.
      """)

  @Option(help: ArgumentHelp("A bundle's folder.", valueName: "folder"))
  var bundle: String

  @OptionGroup var budget: BudgetOptions

  @OptionGroup var prompts: PromptOptions

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func run() throws {
    let stage = try ContinuationsStage(prompts: prompts.read(), tokens: prompts.tokens, threads: threads.threads)
    let report = try stage.run(ModelBundle(path: bundle, sparsity: budget.sparsity), options.console)
    func percent(_ share: Double, _ error: Double?) -> String {
      Format.percent(share) + (error.map { " ± " + Format.percent($0) } ?? "")
    }
    try options.print(
      report,
      text: """
        \(report.prompts) prompts, \(report.tokens) tokens each
        the same token at \(percent(report.equalShare, report.equalShareStderr)) of positions
        no difference before \(percent(report.equalPrefixShare, report.equalPrefixShareStderr)) of the text
        repeated runs of four tokens: dense \(Format.percent(report.repetition.dense)), sparse \
        \(percent(report.repetition.sparse, report.repetitionIncreaseStderr))
        """)
  }
}
