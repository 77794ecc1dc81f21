import ActivationStatistics
import ArgumentParser
import Checkpoints
import Files
import Pipeline
import Reports
import ThresholdSolver

struct SolveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "solve", abstract: "Solves thresholds from statistics alone.")

  /// A switch that reads better than a flag and its negation.
  enum Switch: String, ExpressibleByArgument, CaseIterable {
    case on, off
  }

  @Option(help: ArgumentHelp("Statistics that 'gambit collect' or 'gambit merge' wrote.", valueName: "path"))
  var statistics: String

  @OptionGroup var model: ModelOptions

  @Option(help: "How to solve.")
  var method: SolverRequest.Method

  @Option(help: "How chess measures the typical size of a channel's up projection: rms unless given.")
  var norm: CHESS.Norm?

  @Option(help: "Also skip inputs of the query and output projections.")
  var attention = Switch.off

  @Option(help: ArgumentHelp("The share to drop at each place of cutting, from 0 to 1.", valueName: "share"))
  var sparsity: Double

  @Option(help: ArgumentHelp("The file to write, safetensors.", valueName: "path"))
  var output: String

  @OptionGroup var options: OutputOptions

  func run() throws {
    let request = try SolverRequest(method: method, norm: norm, attention: attention == .on, sparsity: sparsity)
    let solved = try SolveStage([request]).run(
      Checkpoint.open(model.model), StatisticsFile(path: statistics), options.console)
    for thresholds in solved {
      try writeAtomically(thresholds.encoded(), to: output)
      try options.print(
        Result(output: output, realised: thresholds.realised),
        text: "\(output): drops \(Format.percent(thresholds.realised.ffn)) of FFN channels on the calibration text")
    }
  }

  private struct Result: Encodable {
    var output: String
    var realised: Thresholds.Shares
  }
}

extension SolverRequest.Method: ExpressibleByArgument {}
extension CHESS.Norm: ExpressibleByArgument {}
