import ArgumentParser
import Pipeline
import Reports
import SparseBundle

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Checks that a bundle is what its manifest says, and computes what it records.",
    discussion: "Exits with 0 where every check passed, with 1 otherwise.")

  @Argument(help: "The bundle's folder.")
  var bundle: String

  @Option(
    help: ArgumentHelp(
      "A file with a prompt a line, which the fast engine and the plain decoder both continue: every token and every "
        + "channel kept must be the same.", valueName: "file"))
  var prompts: String?

  @Option(help: ArgumentHelp("Tokens to decode after each prompt.", valueName: "n"))
  var tokens = 64

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard tokens > 0 else { throw ValidationError("--tokens must be positive.") }
  }

  func run() throws {
    let prompts = try self.prompts.map { try String(contentsOfFile: $0, encoding: .utf8).split(separator: "\n") } ?? []
    let stage = VerifyStage(prompts: prompts.map(String.init), tokensPerPrompt: tokens, threads: threads.threads)
    let result = RunReport.Verification(stage.run(bundle, options.console))
    var table = TextTable(["check", "result", "detail"])
    for check in result.checks { table.add([check.name, check.ok ? "ok" : "FAILED", check.detail]) }
    try options.print(result, text: table.description)
    let failed = result.checks.filter { !$0.ok }.map(\.name)
    if !failed.isEmpty { throw PipelineError.verificationFailed(bundle: bundle, checks: failed) }
  }
}
