import ActivationStatistics
import ArgumentParser
import Checkpoints
import Corpus
import Foundation
import Pipeline

struct CollectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "collect", abstract: "Runs a model over a sample and collects statistics of its activations.",
    discussion: """
      What is finished is kept beside the output, in OUTPUT.partial: after an interruption, the same \
      command with --resume goes on from there and ends with the same bytes, with --restart it deletes it. With \
      --until-confident it is kept in OUTPUT.shards.
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: ArgumentHelp("Token sequences that 'gambit sample' drew.", valueName: "path"))
  var sample: String

  @Option(help: ArgumentHelp("The file to write, HDF5.", valueName: "path"))
  var output: String

  @Option(
    help: ArgumentHelp("Only the i-th of n equal parts of the sample; 'gambit merge' adds parts up.", valueName: "i/n"))
  var shard: CollectStage.Shard?

  @Option(
    help: ArgumentHelp(
      """
      Only layers a up to, not including, b, counted from 0, for models larger than a machine; 'gambit merge' puts them \
      together.
      """, valueName: "a..b"))
  var layers: LayerRange?

  @Option(help: ArgumentHelp("What the layers before these wrote with --activations-out.", valueName: "path"))
  var activationsIn: String?

  @Option(help: ArgumentHelp("A file to write for the layers behind these.", valueName: "path"))
  var activationsOut: String?

  @Option(
    help: ArgumentHelp(
      """
      Round the weights to this format in planes and also count how well high planes foretell each channel: what \
      'gambit solve --method planes' needs.
      """, valueName: "format"))
  var scores: PlaneFormat?

  @Flag(help: "Go on from what an interrupted run left.")
  var resume = false

  @Flag(help: "Delete what an interrupted run left, and start afresh.")
  var restart = false

  @Option(help: ArgumentHelp("Positions at the start of each sequence to count apart.", valueName: "n"))
  var sinks = 0

  @Option(
    help: ArgumentHelp(
      "Activations to keep in memory; more goes to a scratch file beside the output.", valueName: "size"))
  var memory = MemorySize(bytes: 1_000_000_000)

  @Option(
    help: ArgumentHelp(
      """
      Read no more of the sample than is enough: until in each layer the share dropped of other text of the same kind, and \
      half of the thresholds, are known to this standard error, as 1% or 0.01 (Documentation/confidence.md).
      """, valueName: "error"))
  var untilConfident: Percentage?

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard untilConfident == nil || shard == nil else {
      throw ValidationError("--until-confident reads the sample from its beginning: leave out --shard.")
    }
    guard untilConfident == nil || layers == nil else {
      throw ValidationError("--until-confident reads all layers: leave out --layers.")
    }
    guard layers != nil || (activationsIn == nil && activationsOut == nil) else {
      throw ValidationError("--activations-in and --activations-out go with --layers.")
    }
    guard !resume || !restart else { throw ValidationError("--resume and --restart: choose one.") }
    guard sinks >= 0 else { throw ValidationError("--sinks must not be negative.") }
  }

  private var resumption: StatisticsCheckpoint.Resumption { resume ? .always : restart ? .never : .onlyIfAsked }

  func run() throws {
    let stage = CollectStage(sinkPositions: sinks, memoryBudget: memory.bytes, threads: threads.threads, scores: scores)
    let checkpoint = try Checkpoint.open(model.model)
    let sequences = try TokenSequences(contentsOf: URL(filePath: sample))
    guard let limit = untilConfident else {
      try stage.run(
        checkpoint, sequences, samplePath: sample, output: output, shard: shard,
        part: layers.map { .init(layers: $0.range, input: activationsIn, output: activationsOut) },
        resuming: resumption, options.console)
      return try options.print(Written(output: output), text: output)
    }
    let report = try ConfidentCollection(stage, limit: limit.share).run(
      checkpoint, sequences, samplePath: sample, output: output, resuming: resumption, options.console)
    try options.print(
      Confident(output: output, confidence: report),
      text: "\(report.table)\n\n\(output): \(report.reason)")
  }

  private struct Confident: Encodable {
    var output: String
    var confidence: ConfidentCollectionReport
  }
}

extension CollectStage.Shard: ExpressibleByArgument {
  public init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1], index >= 1, index <= count else { return nil }
    self.init(index: index, count: count)
  }
}

/// `a..b`, of which b is not a part.
struct LayerRange: ExpressibleByArgument {
  let range: Range<Int>

  init?(argument: String) {
    let parts = argument.components(separatedBy: "..").map { Int($0) }
    guard parts.count == 2, let low = parts[0], let high = parts[1], 0 <= low, low < high else { return nil }
    range = low..<high
  }
}

extension PlaneFormat: ExpressibleByArgument {}

extension Percentage: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension MemorySize: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
  public var defaultValueDescription: String { "1GB" }
}
