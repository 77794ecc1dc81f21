import ArgumentParser
import Checkpoints
import Interchange
import Pipeline
import Reports
import SparseBundle

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Makes a bundle of a model and thresholds that were computed elsewhere.",
    discussion: """
      chess-pt: the dictionary of the authors of CHESS, a file of torch.save. per-channel-json: thresholds relative to \
      each token's greatest gate, as labscommunity/cascadia reads them; they are turned into magnitudes, so that each \
      channel is kept as often. That, the shares dropped and the losses are measured on --text, or on a short built-in \
      text. The bundle can then be evaluated, verified and run like any other; its manifest says 'imported', and has the \
      digest of the file. Documentation/handoff.md says more.
      """)

  @Argument(help: ArgumentHelp("The format of the file.", valueName: "format"))
  var format: ForeignThresholds.Format

  @Argument(help: ArgumentHelp("The thresholds.", valueName: "file"))
  var file: String

  @OptionGroup var model: ModelOptions

  @Option(help: "For chess-pt: which of its thresholds the FFN takes.")
  var rule: ForeignThresholds.Rule?

  @Flag(inversion: .prefixedNo, help: "For chess-pt: take its thresholds of attention, where they drop anything.")
  var attention: Bool?

  @OptionGroup var bundle: BundleOutputOptions
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard (rule == nil && attention == nil) || format == .chessPt else {
      throw ValidationError("--rule and --attention are for chess-pt alone.")
    }
    guard !bundle.weights.isInPlanes else {
      throw ValidationError("Imported thresholds grade no weights: give another --weights.")
    }
  }

  func run() throws {
    let checkpoint = try Checkpoint.open(model.model)
    var thresholds = try ForeignThresholds(path: file, format, rule: rule ?? .chess, for: checkpoint.configuration)
    if attention == false { thresholds.dropAttention() }
    let done = try ImportStage(export: bundle.stage)
      .run(checkpoint, thresholds, output: bundle.output, options.console)
    try ExportedBundle(bundle.output, done).print(options)
  }
}

extension ForeignThresholds.Format: ExpressibleByArgument {}
extension ForeignThresholds.Rule: ExpressibleByArgument {}
