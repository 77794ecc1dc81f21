import ArgumentParser
import Interchange
import Pipeline
import Reports
import SparseBundle

struct HandoffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "handoff", abstract: "Writes a bundle as what another runtime reads.",
    discussion: """
      gguf: one file for llama.cpp and its kin, which run the dense model; thresholds are metadata under 'gambit.'. \
      csv: a row a channel of the FFN with its threshold and, by the statistics, what it keeps and loses. What a \
      format cannot carry is refused with the reason, and so is a bundle whose files are not what its manifest says. Documentation/handoff.md says what is kept and what is lost.
      """)

  @Argument(help: "The bundle's folder.")
  var bundle: String

  @Option(help: ArgumentHelp("The format to write.", valueName: "format"))
  var to: HandoffFormat

  @Option(help: "For gguf: the type of the matrices; the bundle's where gguf has it, f32 unless given.")
  var weights: GGUFWeights?

  @Option(help: ArgumentHelp("For csv: the statistics that the thresholds were solved from.", valueName: "path"))
  var statistics: String?

  @Option(help: ArgumentHelp("The file to write.", valueName: "path"))
  var output: String

  @OptionGroup var budget: BudgetOptions
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard (to == .csv) == (statistics != nil) else {
      throw ValidationError("csv needs --statistics, and no other format has a use for it.")
    }
    guard weights == nil || to == .gguf else { throw ValidationError("--weights is for gguf alone.") }
  }

  func run() throws {
    try VerifyStage.requireIntact(self.bundle)
    let bundle = try ModelBundle(path: self.bundle, sparsity: budget.sparsity)
    switch to {
    case .gguf: try writeGGUF(bundle)
    case .csv: try writeTable(bundle)
    }
    try options.print(Written(format: to, output: output), text: output)
  }

  private func writeGGUF(_ bundle: ModelBundle) throws {
    let handoff = try GGUFHandoff(bundle, weights: weights)
    let total = Double(bundle.configuration.parameterCount)
    try options.console.task("handoff", total: total, unit: "weights") { task in
      try handoff.write(to: output) { task.advance(to: Double($0)) }
    }
  }

  private func writeTable(_ bundle: ModelBundle) throws {
    guard let statistics else { return }
    let table = try ChannelTable(bundle, statistics: statistics)
    let total = Double(bundle.configuration.layerCount)
    try options.console.task("handoff", total: total, unit: "layers") { task in
      try table.write(to: output) { task.advance(to: Double($0)) }
    }
  }

  private struct Written: Encodable {
    var format: HandoffFormat
    var output: String
  }
}

extension HandoffFormat: ExpressibleByArgument {}
extension GGUFWeights: ExpressibleByArgument {}
