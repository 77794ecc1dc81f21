import ArgumentParser

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Measures a model or a bundle.",
    subcommands: [
      PerplexityCommand.self, TasksCommand.self, LogitsCommand.self, ThroughputCommand.self,
    ])
}
