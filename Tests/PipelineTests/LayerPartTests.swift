import ActivationStatistics
import Checkpoints
import Corpus
import Files
import Foundation
import Reports
import TestSupport
import Testing
import ThresholdSolver

@testable import Pipeline

/// Collecting some layers here and the others there.
struct LayerPartTests {
  private let folder = TemporaryFolder()
  private let console = Console(quiet: true)
  private let checkpoint: Checkpoint
  private let sample: TokenSequences

  init() throws {
    checkpoint = try TinyModel.llama.open()
    let tokens = (0..<8 * 16).map { Int32($0 * 7 % 90) }
    sample = try TokenSequences(
      tokens: tokens, sequenceLength: 16,
      provenance: SampleProvenance(
        seed: 1, requestedTokens: tokens.count, endOfText: 0, tokenizer: checkpoint.hash, sources: []))
  }

  /// With all states in memory, and with some in a scratch file.
  @Test(arguments: [Int.max, 2000])
  func partsMergeToTheBytesOfASingleRun(_ memory: Int) throws {
    try collect("whole", nil, memory: memory)
    try collect("a", .init(layers: 0..<1, output: path("a.next")), memory: memory)
    try collect("b", .init(layers: 1..<2, input: path("a.next"), output: path("b.next")), memory: memory)
    try collect("c", .init(layers: 2..<3, input: path("b.next")), memory: memory)
    try StatisticsFile.merge(["c", "a", "b"].map(path), to: path("merged"))
    #expect(try bytes(ofFile: path("merged")) == bytes(ofFile: path("whole")))
  }

  /// Cut both ways, merged in whatever order.
  @Test func sequencesAndLayersMayBothBeCut() throws {
    try collect("whole", nil)
    for shard in 1...2 {
      try collect("\(shard)-a", .init(layers: 0..<2, output: path("\(shard).next")), shard: shard)
      try collect("\(shard)-b", .init(layers: 2..<3, input: path("\(shard).next")), shard: shard)
    }
    try StatisticsFile.merge(["2-b", "1-a", "1-b", "2-a"].map(path), to: path("merged"))
    #expect(try bytes(ofFile: path("merged")) == bytes(ofFile: path("whole")))
    // As a tree: first the layers of each shard, then the shards.
    for shard in 1...2 { try StatisticsFile.merge(["\(shard)-b", "\(shard)-a"].map(path), to: path("shard-\(shard)")) }
    try StatisticsFile.merge(["shard-2", "shard-1"].map(path), to: path("merged"))
    #expect(try bytes(ofFile: path("merged")) == bytes(ofFile: path("whole")))
    #expect(throws: StatisticsError.otherSequences(path("1-b"), path("merged-a"))) {
      try StatisticsFile.merge(["1-a", "2-a"].map(path), to: path("merged-a"))
      try StatisticsFile.merge(["merged-a", "1-b"].map(path), to: path("merged"))
    }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    try collect("a", .init(layers: 0..<1, output: path("a.next")))
    func refuse(_ part: CollectStage.LayerPart, shard: Int? = nil, _ matches: (PipelineError) -> Bool) {
      #expect { try collect("b", part, shard: shard) } throws: { ($0 as? PipelineError).map(matches) ?? false }
      #expect(!FileManager.default.fileExists(atPath: path("b")))
    }
    func isOther(_ difference: String) -> (PipelineError) -> Bool {
      { if case .otherActivations(_, difference) = $0 { true } else { false } }
    }
    func isBadSetting(_ error: PipelineError) -> Bool {
      if case .badSetting("layers", _) = error { true } else { false }
    }
    refuse(.init(layers: 2..<3, input: path("a.next")), isOther("layer"))
    refuse(.init(layers: 1..<3, input: path("a.next")), shard: 1, isOther("sequences"))
    refuse(.init(layers: 1..<3), isBadSetting)
    refuse(.init(layers: 0..<1, input: path("a.next")), isBadSetting)
    refuse(.init(layers: 1..<4, input: path("a.next")), isBadSetting)
    refuse(.init(layers: 1..<3, input: path("a.next"), output: path("b.next")), isBadSetting)

    var damaged = try bytes(ofFile: path("a.next"))
    damaged[damaged.count - 5] ^= 1
    try writeAtomically(damaged, to: path("damaged"))
    refuse(.init(layers: 1..<3, input: path("damaged"))) { $0 == .damagedActivations(path: path("damaged")) }
    try writeAtomically(damaged.dropLast(4), to: path("short"))
    #expect(throws: CheckpointError.self) { try collect("b", .init(layers: 1..<3, input: path("short"))) }
  }

  @Test func someLayersAreNotSolved() throws {
    try collect("a", .init(layers: 0..<1, output: path("a.next")))
    #expect(throws: StatisticsError.someLayers(path: path("a"), 0..<1, count: 3)) {
      try StatisticsFile(path: path("a"))
    }
    #expect(try StatisticsFile(partAt: path("a")).description.layers == 0..<1)
    let facts = Dictionary(try Inspection(path: path("a")).facts, uniquingKeysWith: { first, _ in first })
    #expect(facts["layers"] == "0 to 0 of 3")
  }

  /// A process that died with all layers counted still hands on what the last one leaves.
  @Test func activationsAreWrittenAfterAnInterruption() throws {
    try collect("a", .init(layers: 0..<2, output: path("a.next")))
    let expected = try (bytes(ofFile: path("a")), bytes(ofFile: path("a.next")))
    #expect(throws: (any Error).self) {
      try collect("again", .init(layers: 0..<2, output: path("nowhere/again.next")))
    }
    try collect("again", .init(layers: 0..<2, output: path("again.next")), resuming: .always)
    #expect(try bytes(ofFile: path("again")) == expected.0 && bytes(ofFile: path("again.next")) == expected.1)
  }

  private func path(_ name: String) -> String { folder.path(name) }

  private func collect(
    _ name: String, _ part: CollectStage.LayerPart?, shard: Int? = nil, memory: Int = .max,
    resuming: StatisticsCheckpoint.Resumption = .never
  ) throws {
    try CollectStage(sinkPositions: 1, memoryBudget: memory, threads: 2).run(
      checkpoint, sample, samplePath: "sample", output: path(name), shard: shard.map { .init(index: $0, count: 2) },
      part: part, resuming: resuming, console)
  }
}
