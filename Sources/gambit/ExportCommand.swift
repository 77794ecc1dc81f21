import ArgumentParser
import Checkpoints
import Pipeline
import Reports
import SparseBundle
import ThresholdSolver

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes a sparse-ready bundle of a model and its thresholds.",
    discussion: "A bundle that stands at OUTPUT is replaced as a whole, at the end.")

  @OptionGroup var model: ModelOptions

  @Option(help: ArgumentHelp("Thresholds that 'gambit solve' wrote for this model.", valueName: "path"))
  var thresholds: String

  @Option(help: "Type of the bundle's matrices.")
  var weights = WeightType.f16

  @Option(help: ArgumentHelp("The folder to write.", valueName: "folder"))
  var output: String

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func run() throws {
    try ExportStage(type: weights, threads: threads.threads).run(
      Checkpoint.open(model.model), Thresholds(SafetensorsFile(path: thresholds)), output: output, options.console)
    let size = try ModelBundle(path: output).size
    try options.print(Result(output: output, bytes: size), text: "\(output): \(Format.bytes(size))")
  }

  private struct Result: Encodable {
    var output: String
    var bytes: Int
  }
}

extension WeightType: ExpressibleByArgument {}
