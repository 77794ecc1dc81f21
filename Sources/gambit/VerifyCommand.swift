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

  @OptionGroup var options: OutputOptions

  func run() throws {
    let result = RunReport.Verification(VerifyStage().run(bundle, options.console))
    var table = TextTable(["check", "result", "detail"])
    for check in result.checks { table.add([check.name, check.ok ? "ok" : "FAILED", check.detail]) }
    try options.print(result, text: table.description)
    if !result.ok { throw ExitCode(1) }
  }
}
