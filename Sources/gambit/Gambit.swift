import ArgumentParser
import Files
import Foundation
import Pipeline

@main
struct GambitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gambit",
    abstract: "Calibrates language models for sparse decoding and exports verified bundles.",
    discussion: """
      The main job is one command: gambit run PIPELINE.yaml --output DIR. Each of its stages is a command, too.

      Exit codes: 0 done; 1 a check found something wrong; 2 an input or the system made the work \
      impossible, the message says which and what to do; 64 the command line is wrong; 130 and 143 interrupted by SIGINT and SIGTERM. \
      An interrupted run or collection goes on where it was when it is started again.
      """,
    version: Gambit.version,
    groupedSubcommands: [
      CommandGroup(name: "The main job", subcommands: [PlanCommand.self, RunCommand.self]),
      CommandGroup(
        name: "Its stages",
        subcommands: [
          SampleCommand.self, CollectCommand.self, MergeCommand.self, SolveCommand.self, ExportCommand.self,
          VerifyCommand.self, SignCommand.self, HandoffCommand.self, ImportCommand.self,
        ]),
      CommandGroup(
        name: "Looking and measuring",
        subcommands: [
          EvaluateCommand.self, ConfidenceCommand.self, CompareCommand.self, GenerateCommand.self, TokenizeCommand.self,
          InspectCommand.self, BenchCommand.self, CacheCommand.self, RehearseCommand.self,
        ]),
    ])

  /// Exits with 2, not argument-parser's 1, where an input made the work impossible: 1 is for checks.
  static func main() {
    Interruption.handle()
    do {
      var command = try parseAsRoot()
      if !(command is RehearseCommand) { RehearseCommand.precedeReading() }
      try command.run()
    } catch let error where exitCode(for: error) == .failure && !(error is ExitCode) {
      FailureReport.print(error)
      fflush(nil)
      // Other threads may be writing still.
      Unfinished.removeAll(andExitWith: FailureReport.exitCode(of: error))
    } catch {
      exit(withError: error)
    }
  }
}
