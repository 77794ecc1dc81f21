import ArgumentParser
import Foundation
import Pipeline

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Predicts what a pipeline takes, before anything runs.",
    discussion: """
      Time, memory, scratch and artifacts of each stage, from the model's shape and a few seconds' measurement of this \
      machine with the model's first layer (Documentation/scale.md says how near it comes). Exits with 1 where something \
      would fail: too little memory, disk or text.
      """)

  @Argument(help: "The pipeline, a YAML file (schemas/pipeline.schema.json).")
  var pipeline: String

  @Option(help: ArgumentHelp("The folder that the run will have, for its disk.", valueName: "folder"))
  var output = "."

  @Option(
    help: ArgumentHelp(
      "Overrides a setting, such as sample.tokens=4096; may be given more than once.", valueName: "key=value"))
  var set: [String] = []

  @Option(help: ArgumentHelp("Shards to cut the collection into.", valueName: "n"))
  var shards: Int?

  @Option(help: ArgumentHelp("As few shards as are done in this time, as 90s, 30m or 12h.", valueName: "time"))
  var deadline: Deadline?

  @Option(help: ArgumentHelp("As few shards as need no more memory each.", valueName: "size"))
  var memoryLimit: MemorySize?

  @Option(
    help: ArgumentHelp(
      "Float32 products of the machines that will run it, on all threads, in 10⁹ operations a second; this machine's unless given.",
      valueName: "n"))
  var gflops: Double?

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard [shards != nil, deadline != nil, memoryLimit != nil].count(where: \.self) <= 1 else {
      throw ValidationError("--shards, --deadline and --memory-limit: choose one.")
    }
    guard gflops.map({ $0 > 0 && $0.isFinite }) ?? true else { throw ValidationError("--gflops must be above 0.") }
  }

  func run() throws {
    let document = try PipelineDocument(path: pipeline, settings: set)
    let planner = try Planner(document, pipeline: pipeline, output: output, threads: threads.threads)
    let cut: Planner.Cut =
      deadline.map { .deadline($0.seconds) } ?? memoryLimit.map { .memory($0.bytes) } ?? .shards(shards ?? 1)
    let plan = try planner.plan(cut, gflops: gflops, options.console)
    try options.print(plan, text: plan.table)
    if !plan.problems.isEmpty { throw ExitCode(1) }
  }
}

/// `90s`, `30m` or `12h`.
struct Deadline: ExpressibleByArgument {
  let seconds: Double

  init?(argument: String) {
    let units = ["s": 1.0, "m": 60, "h": 3600]
    guard let unit = argument.last.flatMap({ units[String($0)] }), let value = Double(argument.dropLast()),
      value > 0, value.isFinite
    else { return nil }
    seconds = value * unit
  }
}
