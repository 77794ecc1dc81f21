import ArgumentParser
import Pipeline
import Reports
import Signatures
import SparseBundle

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Checks that a bundle is what its manifest says, and computes what it records.",
    discussion: """
      Exits with 0 where every check passed, with 1 otherwise. Golden vectors are checked for every sparsity that the \
      bundle has thresholds for. With --prompts, the fast engine and the plain decoder continue each at --sparsity: \
      every token and every channel kept must be the same.
      """)

  @Argument(help: "The bundle's folder.")
  var bundle: String

  @OptionGroup var budget: BudgetOptions

  @OptionGroup var prompts: PromptOptions

  @Option(
    help: ArgumentHelp(
      "A public key, PEM: the bundle must be signed with it, or with another one that is given.", valueName: "key"))
  var trust: [String] = []

  @Flag(help: "Measure again what the manifest states of perplexity, weights read and, with --model, KL.")
  var remeasure = false

  @Option(help: ArgumentHelp("The model that the bundle was made from, for --remeasure.", valueName: "path"))
  var model: String?

  @OptionGroup var text: LossTextOptions

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard remeasure || (model == nil && text.text.isEmpty) else {
      throw ValidationError("--model and --text are for --remeasure.")
    }
  }

  func run() throws {
    var remeasuring: VerifyStage.Remeasuring?
    // What is wrong with the manifest is for the checks to say.
    if let manifest = try? BundleManifest(reading: bundle + "/" + BundleFile.manifest) {
      _ = try manifest.sparsification.otherBudget(budget.sparsity)
      if remeasure {
        remeasuring = try .init(manifest.quality, of: manifest.model, bundle, model: model, text.lossText)
      }
    }
    let stage = try VerifyStage(
      prompts: prompts.read(), tokensPerPrompt: prompts.tokens, sparsity: budget.sparsity, threads: threads.threads,
      trusted: trust.map { try TrustedKey(path: $0) }, remeasuring: remeasuring)
    let result = RunReport.Verification(stage.run(bundle, options.console))
    var table = TextTable(["check", "result", "detail"])
    for check in result.checks { table.add([check.name, check.ok ? "ok" : "FAILED", check.detail]) }
    try options.print(result, text: table.description)
    let failed = result.checks.filter { !$0.ok }.map(\.name)
    if !failed.isEmpty { throw PipelineError.verificationFailed(bundle: bundle, checks: failed) }
  }
}
