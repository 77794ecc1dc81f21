import ArgumentParser

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Measures a model or a bundle.",
    subcommands: [
      PerplexityCommand.self, TasksCommand.self, ContinuationsCommand.self, DriftCommand.self, LogitsCommand.self,
      ThroughputCommand.self,
    ])
}
