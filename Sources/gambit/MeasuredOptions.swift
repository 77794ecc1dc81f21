import ArgumentParser
import Pipeline

/// What to measure.
struct MeasuredOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A GGUF file, or a folder in Hugging Face's layout; beside a bundle, the dense model to compare it with.",
      valueName: "path"))
  var model: String?

  @Option(help: ArgumentHelp("A bundle's folder.", valueName: "folder"))
  var bundle: String?

  @Option(help: ArgumentHelp("Thresholds that 'gambit solve' wrote, in place of a bundle's own.", valueName: "path"))
  var thresholds: String?

  @OptionGroup var budget: BudgetOptions

  func validate() throws {
    guard model != nil || bundle != nil else { throw ValidationError("Give --model or --bundle.") }
    guard budget.sparsity == nil || (bundle != nil && thresholds == nil) else {
      throw ValidationError("--sparsity needs --bundle, and no --thresholds in place of the bundle's own.")
    }
  }

  func open() throws -> MeasuredSource {
    try MeasuredSource(model: model, bundle: bundle, thresholds: thresholds, sparsity: budget.sparsity)
  }
}
