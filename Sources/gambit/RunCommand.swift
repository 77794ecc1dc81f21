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

  @Flag(help: "Run every stage, up to date or not.")
  var force = false

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func run() throws {
    let document = try PipelineDocument(path: pipeline, settings: set)
    // Relative where the pipeline's path is: what is written names files as they were given.
    let base = pipeline.lastIndex(of: "/").map { String(pipeline[...$0]) } ?? "./"
    let runner = try PipelineRunner(
      document, base: base, output: output, threads: threads.threads, options.console)
    let report = try runner.run(from: force ? .sample : from, until: until ?? .evaluate)
    if let report {
      try options.print(report, text: "\n" + report.table + "\nin \(output): report.html, bundle")
    } else {
      try options.print(Written(output: output), text: output)
    }
  }
}

extension PipelineRunner.Stage: ExpressibleByArgument {}
