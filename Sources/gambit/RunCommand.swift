import ArgumentParser
import Pipeline

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs a pipeline: from a model and texts to a verified bundle and a report.",
    discussion:
      "Stages that are up to date are not run again. Stages, in order: sample, collect, solve, export, evaluate.")

  @Argument(help: "The pipeline, a YAML file (schemas/pipeline.schema.json).")
  var pipeline: String

  @Option(help: ArgumentHelp("The folder for everything that the run makes.", valueName: "folder"))
  var output: String

  @Option(
    help: ArgumentHelp(
      "Overrides a setting, such as sample.tokens=4096; may be given more than once.", valueName: "key=value"))
  var set: [String] = []

  @Option(help: ArgumentHelp("Run this stage and those after it, up to date or not.", valueName: "stage"))
  var from: PipelineRunner.Stage?

  @Option(help: ArgumentHelp("Stop after this stage.", valueName: "stage"))
  var until: PipelineRunner.Stage?

  @Option(
    help: ArgumentHelp(
      """
      Only collect the i-th of n equal parts of the sample, into the folder's shards: 'gambit merge' puts them together to \
      statistics.h5, from which the next run goes on. Any number of these may run side by side.
      """, valueName: "i/n"))
  var shard: CollectStage.Shard?

  @Flag(help: "Run every stage, up to date or not.")
  var force = false

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard shard == nil || (from == nil && until == nil && !force) else {
      throw ValidationError("--shard is a part of one stage: leave out --from, --until and --force.")
    }
  }

  func run() throws {
    let document = try PipelineDocument(path: pipeline, settings: set)
    let runner = try PipelineRunner(
      document, base: PipelineDocument.base(of: pipeline), output: output, threads: threads.threads, options.console)
    if let shard {
      let file = try runner.collect(shard)
      return try options.print(Written(output: file), text: file)
    }
    let report = try runner.run(from: force ? .sample : from, until: until ?? .evaluate)
    if let report {
      try options.print(report, text: "\n" + report.table + "\nin \(output): report.html, bundle")
    } else {
      try options.print(Written(output: output), text: output)
    }
  }
}

extension PipelineRunner.Stage: ExpressibleByArgument {}
