import ActivationStatistics
import Files
import Foundation
import Reports
import SparseBundle
import TestSupport
import Testing

@testable import Pipeline

/// The whole line on tiny random models.
struct PipelineRunnerTests {
  private let folder = TemporaryFolder()
  private let console = Console(quiet: true)

  private func document(_ model: TinyModel, tokens: Int = 512, collect: String = "{sinks: 1}") throws
    -> PipelineDocument
  {
    try writeText("calibration.jsonl", documents: 40, seed: 1)
    try writeText("held-out.jsonl", documents: 10, seed: 2)
    let path = folder.path("pipeline.yaml")
    let text = """
      model: {path: \(model.folder)}
      sample: {sources: [{files: [calibration.jsonl]}], tokens: \(tokens), sequence_length: 32, seed: 1}
      collect: \(collect)
      solve:
        - {method: cats, sparsity: [0.5]}
        - {method: chess, attention: true, sparsity: [0.5]}
      evaluate: {files: [held-out.jsonl], sequence_length: 32, tokens: 128}
      export: {method: chess, attention: true, sparsity: 0.5, weights: f16}
      """
    try writeAtomically(text.utf8, to: path)
    return try PipelineDocument(path: path)
  }

  private func writeText(_ name: String, documents: Int, seed: UInt64) throws {
    var numbers = RandomNumbers(seed: seed)
    let words = ["river", "stone", "the", "of", "walked", "1999", "blue,", "and", "winter"]
    let lines = (0..<documents).map { _ in
      let text = (0..<60).compactMap { _ in words.randomElement(using: &numbers) }.joined(separator: " ")
      return "{\"text\": \"\(text)\"}"
    }
    try writeAtomically(lines.joined(separator: "\n").utf8, to: folder.path(name))
  }

  private func runner(_ document: PipelineDocument, _ output: String = "run") throws -> PipelineRunner {
    try PipelineRunner(document, base: folder.root, output: folder.path(output), threads: 2, console)
  }

  @Test(arguments: TinyModel.allCases)
  func everyArchitectureWalksTheWholeLine(model: TinyModel) throws {
    let report = try #require(try runner(document(model)).run())
    #expect(report.methods.map(\.method) == [.cats, .chess])
    #expect(report.methods.allSatisfy { $0.kl > 0 && $0.perplexity > 1 && $0.activatedShare < 1 })
    #expect(report.verification?.ok == true)
    #expect(try ModelBundle(path: folder.path("run/bundle")).thresholds.request.attention)
  }

  /// Shards that others collected, merged, are gone on from as from what the run itself would have collected.
  @Test func shardsMakeTheRunsBytes() throws {
    let document = try document(.llama)
    _ = try runner(document).run()
    let parts = try runner(document, "parts")
    #expect(throws: PipelineError.noSample(folder: folder.path("parts"))) {
      try parts.collect(.init(index: 1, count: 3))
    }
    _ = try parts.run(until: .sample)
    let shards = try (1...3).map { try parts.collect(.init(index: $0, count: 3)) }
    let dates = try shards.map(modified)
    // What is whole is not collected again, what was cut off is.
    _ = try parts.collect(.init(index: 1, count: 3))
    #expect(try shards.map(modified) == dates)
    let whole = try bytes(ofFile: shards[1])
    try writeAtomically(whole.dropLast(100), to: shards[1])
    _ = try parts.collect(.init(index: 2, count: 3))
    #expect(try bytes(ofFile: shards[1]) == whole)

    // Some of the shards are not taken for all of them, nor is what they hold written over.
    try StatisticsFile.merge(Array(shards[..<2]), to: folder.path("parts/statistics.h5"))
    #expect(
      throws: PipelineError.otherStatistics(path: folder.path("parts/statistics.h5"), difference: "range of sequences")
    ) { try parts.run() }
    try StatisticsFile.merge(shards, to: folder.path("parts/statistics.h5"))
    let merged = try modified(folder.path("parts/statistics.h5"))
    _ = try parts.run()
    #expect(try modified(folder.path("parts/statistics.h5")) == merged)
    for file in ["statistics.h5", "thresholds.safetensors", "bundle/manifest.json"] {
      #expect(try bytes(ofFile: folder.path("run/\(file)")) == bytes(ofFile: folder.path("parts/\(file)")))
    }
  }

  private func modified(_ path: String) throws -> Date? {
    try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
  }

  @Test func secondRunChangesNothing() throws {
    let document = try document(.qwen3)
    _ = try runner(document).run()
    let before = try modificationDates()
    _ = try runner(document).run()
    #expect(try modificationDates() == before)
  }

  @Test func collectionThatStopsSaysWhyAndIsNotRunAgain() throws {
    let document = try document(.qwen3, tokens: 1024, collect: "{until_confident: 99%}")
    _ = try runner(document).run(until: .solve)
    let report: ConfidentCollectionReport = try readReport(folder.path("run/confidence.json"))
    #expect(report.verdict == .confident && report.tokens == 512 && report.rounds.count == 1)
    let before = try modificationDates()
    _ = try runner(document).run(until: .solve)
    #expect(try modificationDates() == before)
  }

  @Test func damagedOutputIsMadeAnew() throws {
    let document = try document(.qwen3)
    _ = try runner(document).run()
    let path = folder.path("run/statistics.h5")
    let whole = try bytes(ofFile: path)
    try writeAtomically(whole.dropLast(), to: path)
    _ = try runner(document).run()
    #expect(try bytes(ofFile: path) == whole)
  }

  @Test func sameInputsGiveTheSameBytes() throws {
    let document = try document(.llama)
    for output in ["one", "two"] { _ = try runner(document, output).run() }
    for name in ["sample.h5", "statistics.h5", "thresholds.safetensors", "bundle/manifest.json"] {
      #expect(try bytes(ofFile: folder.path("one/\(name)")) == bytes(ofFile: folder.path("two/\(name)")))
    }
  }

  @Test func otherSettingsDiscardAnInterruptedCollection() throws {
    _ = try runner(document(.qwen3, tokens: 512)).run(until: .sample)
    let partial = folder.path("run/statistics.h5.partial")
    try FileManager.default.createDirectory(atPath: partial, withIntermediateDirectories: true)
    try writeAtomically("{}".utf8, to: partial + "/description.json")
    #expect(try runner(document(.qwen3, tokens: 512)).run() != nil)
    #expect(!FileManager.default.fileExists(atPath: partial))
  }

  @Test func missingHeldOutTextIsFoundBeforeAnythingRuns() throws {
    let document = try document(.qwen3)
    try FileManager.default.removeItem(atPath: folder.path("held-out.jsonl"))
    #expect(throws: (any Error).self) { try runner(document).run() }
    #expect(!FileManager.default.fileExists(atPath: folder.path("run/sample.h5")))
  }

  private func modificationDates() throws -> [String: Date] {
    let root = folder.path("run")
    var dates: [String: Date] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: root) {
      dates[name] = try FileManager.default.attributesOfItem(atPath: root + "/" + name)[.modificationDate] as? Date
    }
    return dates
  }
}
