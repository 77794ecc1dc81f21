import ActivationStatistics
import Checkpoints
import Files
import Foundation
import Reports
import TestSupport
import Testing

@testable import Pipeline

/// Predictions for a tiny model, whose figures can be worked out by hand.
struct PlannerTests {
  private let folder = TemporaryFolder()
  private let console = Console(quiet: true)

  private func planner(tokens: Int = 512, collect: String = "{sinks: 1}") throws -> Planner {
    let text = (0..<40).map { "{\"text\": \"line \($0) \(String(repeating: "of some words ", count: 20))\"}" }
    try writeAtomically(text.joined(separator: "\n").utf8, to: folder.path("text.jsonl"))
    let path = folder.path("pipeline.yaml")
    let document = """
      model: {path: \(TinyModel.llama.folder)}
      sample: {sources: [{files: [text.jsonl]}], tokens: \(tokens), sequence_length: 32, seed: 1}
      collect: \(collect)
      solve: [{method: cats, sparsity: [0.5]}, {method: energy, sparsity: [0.5]}]
      evaluate: {files: [text.jsonl], sequence_length: 32, tokens: 128}
      export: {method: cats, sparsity: 0.5, weights: f16}
      """
    try writeAtomically(document.utf8, to: path)
    return try Planner(PipelineDocument(path: path), pipeline: path, output: folder.path("run"), threads: 2)
  }

  @Test func stagesAreThoseOfARun() throws {
    let plan = try planner().plan(.shards(1), console)
    #expect(plan.stages.map(\.name) == PipelineRunner.Stage.allCases.map(\.rawValue))
    #expect(plan.stages.allSatisfy { $0.seconds > 0 && $0.memory > 0 && $0.jobs == 1 })
    #expect(plan.problems.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: folder.path("run")))
  }

  /// Two operations a weight and token, and attention to half of a sequence.
  @Test func operationsAreThoseOfTheShape() throws {
    let plan = try planner().plan(.shards(4), console)
    let collect = try #require(plan.stages.first { $0.name == "collect" })
    let c = try TinyModel.llama.open().configuration
    let projections =
      2 * c.hiddenSize * c.queryWidth + 2 * c.hiddenSize * c.keyValueWidth + 3 * c.hiddenSize * c.intermediateSize
    let token = Double(2 * projections + 2 * c.queryWidth * 32)
    #expect(collect.jobs == 4)
    #expect(abs(collect.operations / (token * 128 * Double(c.layerCount)) - 1) < 0.05)  // norms are weights, too
    #expect(plan.stages.map(\.name) == ["sample", "collect", "merge", "solve", "export", "verify", "evaluate"])
  }

  @Test func shardsAreAsManyAsItTakes() throws {
    let planner = try planner()
    #expect(try planner.plan(.deadline(1e6), console).shards == 1)
    #expect(try planner.plan(.memory(1 << 40), console).shards == 1)
    #expect { try planner.plan(.deadline(1e-3), console) } throws: { isBadSetting($0, "deadline") }
    #expect { try planner.plan(.memory(1000), console) } throws: { isBadSetting($0, "memory-limit") }
    #expect(throws: PipelineError.badShard(index: 17, count: 17, sequences: 16)) {
      try planner.plan(.shards(17), console)
    }
  }

  private func isBadSetting(_ error: any Error, _ name: String) -> Bool {
    if case .badSetting(name, _)? = error as? PipelineError { true } else { false }
  }

  @Test func aFasterMachineTakesLess() throws {
    let planner = try planner()
    let slow = try planner.plan(.shards(1), gflops: 0.01, console)
    let fast = try planner.plan(.shards(1), gflops: 100, console)
    #expect(slow.costs.gemmGflops == 0.01)
    #expect(slow.seconds > 100 * fast.seconds)
  }

  @Test func tooLittleTextIsFoundBefore() throws {
    let plan = try planner(tokens: 1 << 20).plan(.shards(1), console)
    #expect(plan.problems.map(\.stage) == ["sample"])
  }

  @Test func whatCannotBeCutIsFoundBefore() throws {
    let planner = try planner(collect: "{until_confident: 5%}")
    #expect(try planner.plan(.shards(1), console).problems.isEmpty)
    #expect(try planner.plan(.shards(2), console).problems.map(\.stage) == ["collect"])
  }

  @Test func amountsAddUp() {
    let work: WorkAmounts = [.forward: 2, .loading: 1, .forward: 3]
    let sum = work * 2 + [.loading: 1]
    #expect(sum[.forward] == 10 && sum[.loading] == 3 && sum[.solving] == 0)
    #expect(sum.seconds([.forward: 0.5, .loading: 2]) == 11)
  }
}
