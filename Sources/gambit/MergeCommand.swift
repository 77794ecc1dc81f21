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

  @Flag(help: "Write part of a collection as well, for a merger to come: its first or last shards may be missing.")
  var partial = false

  @OptionGroup var options: OutputOptions

  func run() throws {
    let files = try shards.map { try StatisticsFile(partAt: $0) }
    let merged = try StatisticsDescription.merging(files.map { ($0.path, $0.description) })
    if !partial { try merged.requireComplete() }
    let parts = files.map { Merged.Part(path: $0.path, $0.description) }
    try options.console.task("merge", total: Double(merged.layers.count), unit: "layers") { task in
      try StatisticsFile.merge(files, to: output) { _ in task.advance(by: 1) }
    }
    try options.print(
      Merged(output: output, parts: parts),
      text: (parts.map(\.line) + [output]).joined(separator: "\n"))
  }

  /// What was put together: the file itself does not say, since it has the bytes of a collection in one piece.
  private struct Merged: Encodable {
    struct Part: Encodable {
      var path: String
      /// From the first number up to, not including, the second.
      var sequences: [[Int]]
      var layers: [Int]

      init(path: String, _ description: StatisticsDescription) {
        self.path = path
        sequences = description.coverage.map { [$0.lowerBound, $0.upperBound] }
        layers = [description.layers.lowerBound, description.layers.upperBound]
      }

      var line: String {
        let ranges = sequences.map { "\($0[0])..\($0[1])" }.joined(separator: ", ")
        return "\(path): sequences \(ranges), layers \(layers[0])..\(layers[1])"
      }
    }

    var output: String
    var parts: [Part]
  }
}
