import ArgumentParser
import Pipeline
import Reports

struct TasksCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tasks", abstract: "Accuracy on multiple-choice tasks, zero-shot.",
    discussion: """
      A task is a .jsonl file with a question a line: {"contexts": […], "continuations": […], "gold": n}, of the two \
      lists one with a single entry. A choice is scored by the log-likelihood of its continuation after its context. \
      'acc' takes the choice with the largest one, 'acc_norm' divides by the continuation's bytes first. The mean is \
      of acc_norm for arc_challenge, hellaswag and openbookqa, and of acc for all others.

      Thresholds act on every position. A bundle runs with its own weights; with --model, float32.
      """)

  @OptionGroup var measured: MeasuredOptions

  @Option(help: ArgumentHelp("The folder of the tasks.", valueName: "folder"))
  var tasks: String

  @Option(help: ArgumentHelp("Questions of each task at most, the first ones.", valueName: "n"))
  var limit = Int.max

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard limit > 0 else { throw ValidationError("--limit must be positive.") }
    guard measured.model == nil || measured.bundle == nil else {
      throw ValidationError("Give either --model or --bundle.")
    }
  }

  func run() throws {
    let stage = TasksStage(folder: tasks, limit: limit, threads: threads.threads)
    let source = try measured.open()
    let results = try stage.run(
      source.weights, source.thresholds, stage.tasks(source.tokenizer, source.configuration), options.console
    ) { result in
      options.console.note("\(result.task): \(Format.percent(result.headlineAccuracy.mean))")
    }
    let report = TasksReport(results, weights: source.type)
    try options.print(report, text: table(report))
  }

  private func table(_ report: TasksReport) -> String {
    func cell(_ value: Double, _ error: Double?) -> String {
      Format.fixed(100 * value, 1) + (error.map { " ± " + Format.fixed(100 * $0, 1) } ?? "")
    }
    var table = TextTable(["task", "questions", "acc", "acc_norm", "reported by"])
    for task in report.tasks {
      table.add([
        task.task, "\(task.n)", cell(task.acc, task.accStderr), cell(task.accNorm, task.accNormStderr),
        task.headline.rawValue,
      ])
    }
    return table.description + "\n\nmean \(cell(report.mean, report.meanStderr))"
  }
}
