import ArgumentParser
import Interchange
import Pipeline
import Reports
import SparseBundle

struct HandoffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "handoff", abstract: "Writes a bundle as what another runtime reads.",
    discussion: """
      gguf: one file for llama.cpp and its kin, which run the dense model; thresholds are metadata under 'gambit.'. What a \
      format cannot carry is refused with the reason, and so is a bundle whose files are not what its manifest says. Documentation/handoff.md says what is kept and what is lost.
      """)

  @Argument(help: "The bundle's folder.")
  var bundle: String

  @Option(help: ArgumentHelp("The format to write.", valueName: "format"))
  var to: HandoffFormat

  @Option(help: "Type of the matrices: the bundle's where gguf has it, f32 otherwise.")
  var weights: GGUFWeights?

  @Option(help: ArgumentHelp("The file to write.", valueName: "path"))
  var output: String

  @OptionGroup var budget: BudgetOptions
  @OptionGroup var options: OutputOptions

  func run() throws {
    let failed = BundleVerification(path: self.bundle).run().checks.filter { !$0.ok }.map(\.name)
    if !failed.isEmpty { throw PipelineError.verificationFailed(bundle: self.bundle, checks: failed) }
    let bundle = try ModelBundle(path: self.bundle, sparsity: budget.sparsity)
    let handoff = try GGUFHandoff(bundle, weights: weights)
    let total = Double(bundle.configuration.parameterCount)
    try options.console.task("handoff", total: total, unit: "weights") { task in
      try handoff.write(to: output) { task.advance(to: Double($0)) }
    }
    try options.print(Written(format: to, output: output), text: output)
  }

  private struct Written: Encodable {
    var format: HandoffFormat
    var output: String
  }
}

extension HandoffFormat: ExpressibleByArgument {}
extension GGUFWeights: ExpressibleByArgument {}
