import ArgumentParser
import Foundation
import Pipeline

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Measures methods, budgets, bundles and quantised models side by side, into one table and a report.",
    discussion: """
      Writes compare.json, compare.csv, compare.md and report.html. A row that is finished is not measured again; \
      started again, an interrupted comparison goes on where it was.
      """)

  @Argument(help: "The comparison, a YAML file (schemas/compare.schema.json).")
  var comparison: String

  @Option(
    help: ArgumentHelp(
      "The folder for what is written; artifacts/ and the comparison's name unless given.", valueName: "folder"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Overrides a setting, such as evaluate.tokens=4096; may be given more than once.", valueName: "key=value"))
  var set: [String] = []

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func run() throws {
    let document = try ComparisonDocument(path: comparison, settings: set)
    let name = URL(filePath: comparison).deletingPathExtension().lastPathComponent
    let base = comparison.lastIndex(of: "/").map { String(comparison[...$0]) } ?? "./"
    let result = try ComparisonRunner(
      document, base: base, output: output ?? "artifacts/\(name)", threads: threads.threads, options.console
    ).run()
    let isTerminal = isatty(STDOUT_FILENO) == 1
    let tables = [result.table, result.taskTable].compactMap(\.self).map { $0.text(bold: isTerminal) }
    try options.print(result, text: ([result.summary] + tables).joined(separator: "\n\n"))
  }
}
