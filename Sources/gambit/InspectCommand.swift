import ArgumentParser
import Pipeline
import Reports

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Says what a file or folder is: a checkpoint, or anything that Gambit writes.")

  @Argument(help: "A checkpoint, sample, statistics, thresholds or bundle.")
  var path: String

  @OptionGroup var options: OutputOptions

  func run() throws {
    let summary = try Inspection(path: path)
    var table = TextTable([summary.kind, path])
    for (name, value) in summary.facts { table.add([name, value]) }
    try options.print(summary, text: table.description)
  }
}
