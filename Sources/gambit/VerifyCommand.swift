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
    let checks = VerifyStage().run(bundle, options.console)
    let ok = checks.allSatisfy(\.ok)
    var table = TextTable(["check", "result", "detail"])
    for check in checks { table.add([check.name, check.ok ? "ok" : "FAILED", check.detail]) }
    try options.print(RunReport.Verification(ok: ok, checks: checks), text: table.description)
    if !ok { throw ExitCode(1) }
  }
}
