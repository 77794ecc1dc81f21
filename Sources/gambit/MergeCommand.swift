import ActivationStatistics
import ArgumentParser

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Adds up the statistics of shards, exactly.",
    discussion:
      """
      The result has the bytes of a run over all the sequences and layers at once, in whatever order the shards are given.
      """)

  @Argument(help: "Statistics of shards of one collection.")
  var shards: [String]

  @Option(help: ArgumentHelp("The file to write, HDF5.", valueName: "path"))
  var output: String

  @OptionGroup var options: OutputOptions

  func run() throws {
    let layers = try Set(shards.flatMap { try StatisticsFile(partAt: $0).description.layers }).count
    try options.console.task("merge", total: Double(layers), unit: "layers") { task in
      try StatisticsFile.merge(shards, to: output) { _ in task.advance(by: 1) }
    }
    try options.print(Written(output: output), text: output)
  }
}
