import ArgumentParser
import Checkpoints
import Pipeline
import Reports
import SparseBundle
import ThresholdSolver

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes a sparse-ready bundle of a model and its thresholds.",
    discussion: """
      A bundle that stands at OUTPUT is replaced as a whole, at the end. int8 and q4 store integer codes with a \
      scale for each 32 weights; embeddings and output head of a q4 bundle are int8. int8-planes and \
      f16-planes have the bits of int8 and f16 in two halves, for thresholds of the method 'planes' that were solved for \
      the same, which go with no other type. What rounding the weights \
      costs, and what the bundle loses at each sparsity, is measured on a text and stated in the manifest.
      """)

  @OptionGroup var model: ModelOptions

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      """
      Thresholds that 'gambit solve' wrote for this model. Several, of one method and different sparsities, make a \
      bundle to choose from with --sparsity; the first is its default.
      """, valueName: "files"))
  var thresholds: [String]

  @OptionGroup var bundle: BundleOutputOptions
  @OptionGroup var options: OutputOptions

  func run() throws {
    let ladder = try thresholds.map { try Thresholds(SafetensorsFile(path: $0)) }
    let done = try bundle.stage.run(
      Checkpoint.open(model.model), ladder[0], others: Array(ladder.dropFirst()), output: bundle.output,
      options.console)
    try ExportedBundle(bundle.output, done).print(options)
  }
}
