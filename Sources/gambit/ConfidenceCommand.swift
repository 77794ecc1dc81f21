import ArgumentParser
import Checkpoints
import Pipeline
import ThresholdSolver

struct ConfidenceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "confidence", abstract: "How far chance in the calibration text moves thresholds and shares.",
    discussion: """
      The shards are solved as the thresholds were, together and each left out once; how far that moves thresholds, and \
      what those without a shard drop of it, gives standard errors (Documentation/confidence.md). Four shards or more \
      tell something, ten tell it well.
      """)

  @Argument(help: "Statistics of the shards of one collection: those that 'gambit merge' adds up.")
  var shards: [String]

  @Option(help: ArgumentHelp("Thresholds that were solved from the shards together.", valueName: "path"))
  var thresholds: String

  @OptionGroup var options: OutputOptions

  func run() throws {
    let report = try ConfidenceStage.run(
      of: Thresholds(SafetensorsFile(path: thresholds)), shards, options.console)
    try options.print(
      report, text: "\(report.table)\n\n\(report.shardTokens.count) shards, \(report.tokens) tokens")
  }
}
