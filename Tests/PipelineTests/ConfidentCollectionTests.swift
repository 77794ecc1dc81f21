import ActivationStatistics
import Corpus
import Files
import Foundation
import Reports
import TestSupport
import Testing
import ThresholdSolver

@testable import Pipeline

struct ConfidentCollectionTests {
  private let folder = TemporaryFolder()
  private let console = Console(quiet: true)
  private let stage = CollectStage(sinkPositions: 1, threads: 2)

  @Test(arguments: [
    (4, [[0..<1, 1..<2, 2..<3, 3..<4]]), (6, [[0..<1, 1..<3, 3..<4, 4..<6]]),
    (17, [[0..<4, 4..<8, 8..<12, 12..<16], [16..<17]]),
    (40, [[0..<4, 4..<8, 8..<12, 12..<16], [16..<24, 24..<32], [32..<36, 36..<40]]),
  ])
  func roundsDouble(sequences: Int, expected: [[Range<Int>]]) throws {
    #expect(try ConfidentCollection.rounds(of: sequences) == expected)
  }

  @Test func samplesWithoutShardsAreRefused() {
    #expect(throws: PipelineError.self) { try ConfidentCollection.rounds(of: 3) }
  }

  /// Of 40 sequences: as many as a loose limit needs, or all.
  @Test(arguments: [
    (0.99, 16, ConfidentCollectionReport.Verdict.confident), (0.000_001, 40, .sampleExhausted),
  ])
  func stopsWhereItIsEnoughWithTheBytesOfAnOrdinaryCollection(
    limit: Double, sequences: Int, verdict: ConfidentCollectionReport.Verdict
  ) throws {
    let sample = try sample()
    let report = try collect(sample, limit: limit)
    #expect(report.verdict == verdict && report.tokens == sequences * 32)
    #expect(report.rounds.map(\.tokens) == [16, 32, 40].filter { $0 <= sequences }.map { $0 * 32 })
    #expect(report.rounds.allSatisfy { $0.places.map(\.place) == [.ffn, .query, .output] })
    let last = try #require(report.rounds.last)
    #expect((max(last.largestShareStderr, last.largestThresholdStderr) <= limit) == (verdict == .confident))
    try stage.run(
      TinyModel.qwen3.open(), sample, 0..<sequences, samplePath: "", output: folder.path("ordinary.h5"),
      resuming: .never, console)
    #expect(try bytes(ofFile: folder.path("statistics.h5")) == bytes(ofFile: folder.path("ordinary.h5")))
    #expect(folder.entries.sorted() == ["ordinary.h5", "statistics.h5"])
  }

  /// What an interrupted run has left is used and not written again.
  @Test func goesOnFromFinishedShards() throws {
    let sample = try sample()
    let path = folder.path("statistics.h5.shards/4-8.h5")
    try FileManager.default.createDirectory(
      atPath: folder.path("statistics.h5.shards"), withIntermediateDirectories: true)
    try stage.run(
      TinyModel.qwen3.open(), sample, 4..<8, samplePath: "", output: path, resuming: .never, console)
    let before = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
    // An interruption: no shard can be written to this place.
    try FileManager.default.createDirectory(
      atPath: folder.path("statistics.h5.shards/8-12.h5/full"), withIntermediateDirectories: true)
    #expect(throws: (any Error).self) { try collect(sample, limit: 0.99, resuming: .always) }
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int == before)
    try FileManager.default.removeItem(atPath: folder.path("statistics.h5.shards/8-12.h5"))
    #expect(try collect(sample, limit: 0.99, resuming: .always).verdict == .confident)
    try stage.run(
      TinyModel.qwen3.open(), sample, 0..<16, samplePath: "", output: folder.path("ordinary.h5"), resuming: .never,
      console)
    #expect(try bytes(ofFile: folder.path("statistics.h5")) == bytes(ofFile: folder.path("ordinary.h5")))
  }

  @Test func shardsOfAnotherCollectionAreRefusedOrDiscarded() throws {
    let sample = try sample()
    let path = folder.path("statistics.h5.shards/0-4.h5")
    try FileManager.default.createDirectory(
      atPath: folder.path("statistics.h5.shards"), withIntermediateDirectories: true)
    var other = stage
    other.sinkPositions = 2
    try other.run(TinyModel.qwen3.open(), sample, 0..<4, samplePath: "", output: path, resuming: .never, console)
    #expect(throws: StatisticsError.otherCheckpoint(path: path)) {
      try collect(sample, limit: 0.99, resuming: .always)
    }
    #expect(try collect(sample, limit: 0.99, resuming: .whereSame).verdict == .confident)
  }

  /// The command's computation over ordinary shards is the collection's over its own.
  @Test func shardsOfACollectionTellTheSame() throws {
    let sample = try sample()
    let report = try collect(sample, limit: 0.99)
    let model = try TinyModel.qwen3.open()
    let paths = try (0..<4).map { index in
      let path = folder.path("shard-\(index).h5")
      try stage.run(
        model, sample, 4 * index..<4 * index + 4, samplePath: "", output: path, resuming: .never, console)
      return path
    }
    let statistics = try StatisticsFile(path: folder.path("statistics.h5"))
    let thresholds = try SolveStage([ConfidentCollection.reference]).run(model, statistics, console)[0]
    let told = try ConfidenceStage.run(of: thresholds, paths.reversed(), console)
    #expect(told.places == report.rounds[0].places)
    #expect(throws: PipelineError.self) { try ConfidenceStage.run(of: thresholds, [paths[0]], console) }
    #expect(throws: StatisticsError.self) { try ConfidenceStage.run(of: thresholds, [paths[0], paths[2]], console) }
    var foreign = thresholds
    foreign.corpusHash = "another"
    #expect(throws: PipelineError.self) { try ConfidenceStage.run(of: foreign, paths, console) }
    var weighed = thresholds
    weighed.request = try SolverRequest(method: .wina, attention: true, sparsity: 0.5)
    #expect(throws: PipelineError.self) { try ConfidenceStage.run(of: weighed, paths, console) }
    var searched = thresholds
    searched.request = try SolverRequest(method: .magnitude, attention: true, allocation: .greedy, sparsity: 0.5)
    #expect(throws: PipelineError.self) { try ConfidenceStage.run(of: searched, paths, console) }
    var divided = thresholds
    divided.request.allocation = .global
    divided.realised.query = 0.25
    let query = try #require(try ConfidenceStage.run(of: divided, paths, console).places.first { $0.place == .query })
    #expect(abs(query.share - 0.25) < 0.001)
  }

  @Test(arguments: [("1%", 0.01), ("0.01", 0.01), ("0.5%", 0.005), ("100%", nil), ("0", nil), ("-1%", nil), ("x", nil)])
  func percentages(text: String, share: Double?) { #expect(Percentage(text)?.share == share) }

  private func collect(
    _ sample: TokenSequences, limit: Double, resuming: StatisticsCheckpoint.Resumption = .never
  ) throws -> ConfidentCollectionReport {
    try ConfidentCollection(stage, limit: limit).run(
      TinyModel.qwen3.open(), sample, samplePath: "", output: folder.path("statistics.h5"), resuming: resuming, console)
  }

  /// 40 sequences of 32 tokens.
  private func sample() throws -> TokenSequences {
    var numbers = RandomNumbers(seed: 9)
    let tokens = (0..<40 * 32).map { _ in Int32.random(in: 0..<300, using: &numbers) }
    return try TokenSequences(
      tokens: tokens, sequenceLength: 32,
      provenance: SampleProvenance(seed: 1, requestedTokens: tokens.count, endOfText: 0, tokenizer: "", sources: []))
  }
}
