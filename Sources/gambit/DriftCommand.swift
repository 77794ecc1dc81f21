import ArgumentParser
import Pipeline
import Reports

struct DriftCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drift", abstract: "Whether a bundle drops of a text what it dropped of its calibration text.",
    discussion: """
      Thresholds were chosen so that a share of the calibration text's activations is dropped; of text of another kind \
      they drop more or less, and so cost quality or speed. The verdict is 'fits' where the share of every place, \
      averaged over layers, is within the tolerance, and 'drifted' otherwise; either way the command exits with 0.

      Thresholds hold the calibration text's means over layers, which hide layers that drop more behind others that \
      drop less. With --statistics, the file that thresholds were solved from, layers are compared one by one, and the \
      mean of their differences must be within the tolerance, too.
      """)

  @OptionGroup var measured: MeasuredOptions
  @OptionGroup var texts: TextOptions

  @Option(help: ArgumentHelp("Statistics that the thresholds were solved from.", valueName: "path"))
  var statistics: String?

  @Option(help: ArgumentHelp("How far a share may be from the calibration text's.", valueName: "share"))
  var tolerance = 0.03

  @Option(help: ArgumentHelp("Tokens a window.", valueName: "n"))
  var sequenceLength = 512

  @Option(help: ArgumentHelp("Tokens of text to read at most.", valueName: "n"))
  var maxTokens = 16_384

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard (0...1).contains(tolerance) else { throw ValidationError("--tolerance must be from 0 to 1.") }
  }

  func run() throws {
    let text = EvaluateStage(
      files: texts.text, field: texts.field, sequenceLength: sequenceLength, maximumTokens: maxTokens,
      threads: threads.threads)
    let report = try DriftStage(text: text, statistics: statistics, tolerance: tolerance)
      .run(measured.open(), options.console)
    var table = TextTable(["place", "calibration", "this text", "difference", "by layer", "within"])
    for row in report.places {
      table.add([
        row.place.rawValue, row.calibration.map(Format.percent) ?? "–", Format.percent(row.realised),
        row.difference.map(Format.percent) ?? "–", row.layerDifference.map(Format.percent) ?? "–",
        row.within.map { $0 ? "yes" : "NO" } ?? "–",
      ])
    }
    try options.print(
      report,
      text:
        "\(table)\n\n\(report.verdict.rawValue): tolerance \(Format.percent(report.tolerance)), \(report.tokens) tokens"
    )
  }
}
