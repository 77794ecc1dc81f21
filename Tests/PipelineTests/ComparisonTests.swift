import Files
import Foundation
import Reports
import SparseBundle
import TestSupport
import Testing
import ThresholdSolver

@testable import Pipeline

/// `gambit compare` on tiny random models.
struct ComparisonTests {
  private let folder = TemporaryFolder()
  private let console = Console(quiet: true)

  /// Runs a pipeline, which leaves statistics and a bundle.
  private func prepare() throws {
    var numbers = RandomNumbers(seed: 3)
    let words = ["river", "stone", "the", "of", "walked", "1999", "blue,", "and", "winter"]
    for name in ["calibration", "held-out"] {
      let lines = (0..<30).map { _ in
        "{\"text\": \"\((0..<60).compactMap { _ in words.randomElement(using: &numbers) }.joined(separator: " "))\"}"
      }
      try writeAtomically(lines.joined(separator: "\n").utf8, to: folder.path("\(name).jsonl"))
    }
    let text = """
      model: {path: \(TinyModel.llama.folder)}
      sample: {sources: [{files: [calibration.jsonl]}], tokens: 512, sequence_length: 32, seed: 1}
      solve: [{method: chess, sparsity: [0.5]}]
      evaluate: {files: [held-out.jsonl], sequence_length: 32, tokens: 256}
      export: {method: chess, sparsity: 0.5, weights: int8}
      """
    try writeAtomically(text.utf8, to: folder.path("pipeline.yaml"))
    let document = try PipelineDocument(path: folder.path("pipeline.yaml"))
    _ = try PipelineRunner(document, base: folder.root, output: folder.path("run"), threads: 2, console).run()
  }

  private func compare(rows: String, baseline: String = "chess", tasks: String? = nil) throws -> Comparison {
    let text = """
      model: {path: \(TinyModel.llama.folder)}
      statistics: run/statistics.h5
      baseline: \(baseline)
      evaluate: {files: [held-out.jsonl], sequence_length: 32, tokens: 256}
      rows: [\(rows)]
      \(tasks.map { "tasks: \($0)" } ?? "")
      """
    try writeAtomically(text.utf8, to: folder.path("compare.yaml"))
    return try ComparisonRunner(
      ComparisonDocument(path: folder.path("compare.yaml")), base: folder.root, output: folder.path("out"), threads: 2,
      console
    ).run()
  }

  private let rows = """
    {method: chess, sparsity: [0.3, 0.6]}, {method: cats, sparsity: [0.3, 0.5]}, {weights: q4},
    {method: chess, weights: q4, sparsity: [0.5]}, {bundle: run/bundle, name: ours},
    {model: \(TinyModel.llama.folder), name: same}, {model: \(TinyModel.llama.folder), bytes_per_token: 1000}
    """

  @Test func everyKindOfRowIsMeasured() throws {
    try prepare()
    let rows = try compare(rows: rows).rows

    #expect(
      rows.map(\.label) == ["dense", "chess", "chess", "cats", "cats", "dense q4", "chess", "ours", "same", "llama"])
    #expect(rows[0].kl == nil && rows[0].activatedShare == 1)
    #expect(rows[1...2].allSatisfy { ($0.kl ?? 0) > 0 && $0.activatedShare < 1 && $0.layers.count == 3 })
    #expect(rows[8].kl == 0 && rows[8].top1Agreement == 1 && rows[8].perplexity == rows[0].perplexity)
    // The model's files hold bfloat16: half of what float32 has.
    #expect(rows[8].bytesPerToken * 2 == rows[0].bytesPerToken)
    #expect(rows[9].bytesPerToken == 1000)
    #expect(rows[6].bytesPerToken < rows[5].bytesPerToken && rows[5].bytesPerToken < rows[0].bytesPerToken)
    #expect(rows[7].weights == "int8" && rows[7].request?.sparsity == 0.5)
  }

  @Test func baselineIsComparedAtEqualBytesAndEqualWeights() throws {
    try prepare()
    let rows = try compare(rows: rows).rows
    let (low, high) = (try #require(rows[1].kl), try #require(rows[2].kl))
    #expect(rows[1].baselineKl == nil)  // it is the baseline
    let cats = try #require(rows[4].baselineKl)
    #expect(cats > low && cats < high)
    #expect(rows[5].baselineKl == nil && rows[7].baselineKl == nil)
  }

  @Test func finishedRowsAreKeptAndNewOnesAreMeasured() throws {
    try prepare()
    let first = try compare(rows: "{method: chess, sparsity: [0.3, 0.6]}")
    let cells = folder.path("out/cells")
    let names = try FileManager.default.contentsOfDirectory(atPath: cells)
    #expect(names.count == 3)
    // A row that was measured is read back, not measured again: what its file says is believed.
    let path = cells + "/" + names[0]
    let text = String(decoding: try bytes(ofFile: path), as: UTF8.self)
    try writeAtomically(text.replacing(/"nll" : [0-9.]+/, with: "\"nll\" : 42.5").utf8, to: path)
    try writeAtomically("{".utf8, to: cells + "/" + names[1])

    let second = try compare(rows: "{method: chess, sparsity: [0.3, 0.6]}, {weights: f16}")
    #expect(second.rows.count(where: { $0.nll == 42.5 }) == 1)
    #expect(zip(first.rows, second.rows).count(where: { $0.kl == $1.kl && $0.nll == $1.nll }) == 2)
    #expect(second.rows.last?.label == "dense f16")
  }

  @Test func everyRowAnswersEveryTaskOnce() throws {
    try prepare()
    let tasks = SharedFixtures.path("tasks")
    let result = try compare(
      rows: "{method: chess, sparsity: [0.3]}, {method: cats, sparsity: [0.3]}",
      tasks: "{folder: \(tasks), limit: 5}")
    let answers = try result.rows.map { try #require($0.tasks) }
    #expect(answers.allSatisfy { $0.results.map(\.task) == ["tiny"] && $0.results[0].questions == 5 })
    #expect(answers.allSatisfy { $0.mean == $0.results[0].accuracy })
    let dense = answers[0]
    #expect(dense.difference == nil)
    for row in answers.dropFirst() {
      #expect(abs((row.difference ?? .nan) - (row.mean - dense.mean)) < 1e-12)
      // Of one task: the answers' gains and losses by hand.
      let (own, other) = (row.results[0], dense.results[0])
      let gains = own.gold.indices.map { index in
        (own.predictions[index] == own.gold[index] ? 1.0 : 0) - (other.predictions[index] == own.gold[index] ? 1 : 0)
      }
      let mean = gains.reduce(0, +) / 5
      let error = (gains.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 4 / 5).squareRoot()
      #expect(abs((row.differenceStderr ?? .nan) - error) < 1e-12)
    }
    #expect(result.table.description.contains("to dense") && result.markdown.contains("tiny (5)"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("out/cells")).count == 6)
  }

  @Test func allFilesAreWritten() throws {
    try prepare()
    let result = try compare(rows: "{method: chess, sparsity: [0.3]}, {method: cats, sparsity: [0.3]}")
    let csv = String(decoding: try bytes(ofFile: folder.path("out/compare.csv")), as: UTF8.self)
    #expect(csv.split(separator: "\r\n").count == 4)
    let read: Comparison = try readReport(folder.path("out/compare.json"))
    #expect(read == result)
    let best = try #require(result.rows.dropFirst().min { ($0.kl ?? 0) < ($1.kl ?? 0) })
    let markdown = String(decoding: try bytes(ofFile: folder.path("out/compare.md")), as: UTF8.self)
    let line = try #require(markdown.split(separator: "\n").first { $0.hasPrefix("| \(best.label) ") })
    #expect(line.contains("**"))
    for report in ["out/report.html", "run/report.html"] {
      #expect(String(decoding: try bytes(ofFile: folder.path(report)), as: UTF8.self).contains("</html>"))
    }
  }

  @Test(arguments: [
    ("{method: chess, sparsity: [0.3], name: x}", "rows.name"), ("{bundle: b, sparsity: [0.3]}", "rows.sparsity"),
    ("{weights: q3}", "weights"), ("{method: chess, sparsity: [1.5]}", "1.5"), ("", "nothing to compare"),
  ])
  func wrongDocumentsAreRefused(rows: String, message: String) throws {
    let error = try #require(throws: PipelineError.self) { try compare(rows: rows) }
    #expect("\(error)".contains(message))
  }

  @Test func unknownBaselineIsRefused() throws {
    try prepare()
    let error = try #require(throws: PipelineError.self) { try compare(rows: "{weights: f16}", baseline: "wina") }
    #expect("\(error)".contains("wina"))
  }
}
