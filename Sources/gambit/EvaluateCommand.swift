import ArgumentParser

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Measures a model or a bundle.",
    subcommands: [PerplexityCommand.self, LogitsCommand.self, ThroughputCommand.self])
}
