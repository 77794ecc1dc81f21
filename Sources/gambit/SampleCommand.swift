import ArgumentParser
import Checkpoints
import Corpus
import Pipeline

struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample", abstract: "Draws token sequences from texts.")

  @OptionGroup var model: ModelOptions

  @OptionGroup var texts: TextOptions

  @Option(help: ArgumentHelp("Tokens to draw.", valueName: "n"))
  var tokens: Int

  @Option(help: ArgumentHelp("Tokens a sequence.", valueName: "n"))
  var sequenceLength = 512

  @Option(help: ArgumentHelp("The same seed draws the same text, whatever the order of files.", valueName: "n"))
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("The file to write, HDF5.", valueName: "path"))
  var output: String

  @OptionGroup var options: OutputOptions

  func run() throws {
    let sample = try SampleStage(
      sources: [TextSource(patterns: texts.text, field: texts.field)], tokens: tokens, sequenceLength: sequenceLength,
      seed: seed
    ).run(Checkpoint.open(model.model), output: output, options.console)
    try options.print(
      Result(
        output: output, sequences: sample.count, sequenceLength: sample.sequenceLength, sha256: sample.contentHash),
      text: "\(output): \(sample.count) sequences of \(sample.sequenceLength) tokens")
  }

  private struct Result: Encodable {
    var output: String
    var sequences: Int
    var sequenceLength: Int
    var sha256: String
  }
}
