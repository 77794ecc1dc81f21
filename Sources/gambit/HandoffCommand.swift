import ArgumentParser
import Interchange
import Pipeline
import Reports
import SparseBundle

struct HandoffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "handoff", abstract: "Writes a bundle as what another runtime reads.",
    discussion: """
      transformers: a Hugging Face folder, dense, or sparse where its code is trusted. onnx: \
      a graph for onnxruntime and its kin, sparse or dense at any run. gguf: one file for llama.cpp and \
      its kin, which run the dense model; thresholds are metadata under 'gambit.'. csv: a row a channel of the FFN with \
      its threshold and, by the statistics, what it keeps and loses. What a format cannot carry is refused with the \
      reason, and so is a bundle whose files are not what its manifest says. Documentation/handoff.md says what is kept \
      and what is lost.
      """)

  @Argument(help: "The bundle's folder.")
  var bundle: String

  @Option(help: ArgumentHelp("The format to write.", valueName: "format"))
  var to: HandoffFormat

  @Option(
    help: """
      For transformers, onnx and gguf: the type of the matrices, q8_0 for gguf alone; the bundle's where the format has it, \
      or else f32, unless given.
      """)
  var weights: HandoffWeights?

  @Option(help: ArgumentHelp("For csv: the statistics that the thresholds were solved from.", valueName: "path"))
  var statistics: String?

  @Option(help: ArgumentHelp("The file or folder to write.", valueName: "path"))
  var output: String

  @OptionGroup var budget: BudgetOptions
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard (to == .csv) == (statistics != nil) else {
      throw ValidationError("csv needs --statistics, and no other format has a use for it.")
    }
    guard weights == nil || to.holdsWeights else {
      throw ValidationError("--weights is for formats that hold weights.")
    }
  }

  func run() throws {
    try VerifyStage.requireIntact(self.bundle)
    let bundle = try ModelBundle(path: self.bundle, sparsity: budget.sparsity)
    switch to {
    case .transformers: try write(bundle, TransformersHandoff(bundle, weights: weights).write)
    case .onnx: try write(bundle, ONNXHandoff(bundle, weights: weights).write)
    case .gguf: try write(bundle, GGUFHandoff(bundle, weights: weights).write)
    case .csv: try writeTable(bundle)
    }
    try options.print(Written(format: to, output: output), text: output)
  }

  /// What writes a dense model says how many weights it has written.
  private func write(
    _ bundle: ModelBundle, _ body: (_ path: String, _ progress: (Int) -> Void) throws -> Void
  ) throws {
    let total = Double(bundle.configuration.parameterCount)
    try options.console.task("handoff", total: total, unit: "weights") { task in
      try body(output) { task.advance(to: Double($0)) }
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
extension HandoffWeights: ExpressibleByArgument {}
