import ArgumentParser
import Files
import Interchange
import Pipeline
import Reports
import SparseBundle
import ThresholdSolver

struct HandoffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "handoff", abstract: "Writes a bundle as what another runtime reads.",
    discussion: """
      transformers: a Hugging Face folder, dense, or sparse where its code is trusted. onnx: a graph for onnxruntime, \
      sparse or dense in each run. gguf: one file for llama.cpp and its kin, which run the dense model; thresholds are \
      metadata under 'gambit.'. chess-pt: the threshold dictionary of the authors of CHESS. per-channel-json: thresholds \
      relative to each token's greatest gate, as labscommunity/cascadia reads them. csv: a row a channel of the FFN with \
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
      For transformers, onnx and gguf: the type of the matrices, q8_0 for gguf alone; the bundle's where the format \
      has it, or else f32, unless given.
      """)
  var weights: HandoffWeights?

  @Option(
    help: ArgumentHelp(
      "For csv: the statistics that the thresholds were solved from; 'statistics.h5' beside the bundle unless given.",
      valueName: "path"))
  var statistics: String?

  @OptionGroup(title: "For chess-pt and per-channel-json") var text: GateTextOptions

  @Option(help: ArgumentHelp("The file or folder to write.", valueName: "path"))
  var output: String

  @OptionGroup var budget: BudgetOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard statistics == nil || to == .csv else { throw ValidationError("--statistics is for csv alone.") }
    guard text.text.isEmpty || to.countsGates else {
      throw ValidationError("--text is for chess-pt and per-channel-json.")
    }
    guard weights == nil || to.holdsWeights else {
      throw ValidationError("--weights is for formats that hold weights.")
    }
  }

  func run() throws {
    try VerifyStage.requireIntact(self.bundle)
    try requireWritable(output, asDirectory: to.isFolder)
    let bundle = try ModelBundle(path: self.bundle, sparsity: budget.sparsity)
    var counted: ProbedText?
    func gates() throws -> GateMeasurement.Measured {
      let measured = try GateMeasurement(text: text.lossText, threads: threads.threads).run(bundle, options.console)
      counted = measured.text
      return measured
    }
    switch to {
    case .transformers: try write(bundle, TransformersHandoff(bundle, weights: weights).write)
    case .onnx: try write(bundle, ONNXHandoff(bundle, weights: weights).write)
    case .gguf: try write(bundle, GGUFHandoff(bundle, weights: weights).write)
    case .chessPt: try CHESSDictionary(bundle, gates().layers).write(to: output)
    case .perChannelJSON:
      try PerChannelThresholds(bundle) {
        let measured = try gates()
        return (measured.layers, measured.text)
      }.write(to: output)
    case .csv: try writeTable(bundle)
    }
    let source = counted.map { ": gates counted on \($0.tokens) tokens (\($0.text))" } ?? ""
    try options.print(Written(format: to, output: output, gatesCountedOn: counted), text: output + source)
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
    let table = try ChannelTable(bundle, statistics: statistics)
    let total = Double(bundle.configuration.layerCount)
    try options.console.task("handoff", total: total, unit: "layers") { task in
      try table.write(to: output) { task.advance(to: Double($0)) }
    }
  }

  private struct Written: Encodable {
    var format: HandoffFormat
    var output: String
    var gatesCountedOn: ProbedText?
  }
}

/// The text that gate activations are counted of, where thresholds do not tell enough.
struct GateTextOptions: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      """
      Files or globs of .txt or .jsonl on which gate activations are counted; unless given the calibration sample, \
      where it lies beside the bundle as 'sample.h5', or else a short built-in text.
      """, valueName: "files"))
  var text: [String] = []

  @Option(help: ArgumentHelp("The field of a JSON line that holds the text.", valueName: "name"))
  var field = "text"

  func validate() throws { try LossTextOptions.require(field, with: text) }

  var lossText: LossText { text.isEmpty ? .builtIn : .files(text, field: field) }
}

extension HandoffFormat: ExpressibleByArgument {}
extension HandoffWeights: ExpressibleByArgument {}
