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
    #expect(try #require(slow.costs.seconds[.counting]) > 100 * #require(fast.costs.seconds[.counting]))
    #expect(slow.seconds > fast.seconds)
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

  /// Sums of what no machine has are no reason to stop: a run warns, and goes on.
  @Test func sizesBeyondAllMachinesAreSaid() throws {
    let model = folder.path("large")
    try FileManager.default.copyItem(atPath: TinyModel.llama.folder, toPath: model)
    try makeLargeModel(model)
    _ = try planner()
    var document = try PipelineDocument(path: folder.path("pipeline.yaml"))
    (document.evaluate.tokens, document.sample.tokens) = (.max, .max)
    let shape = try PipelineShape(
      document, Checkpoint.open(model), sources: [], evaluated: [folder.path("absent.txt")], threads: 64, shards: 1)
    #expect(shape.parameters > 60_000_000_000)
    let stages = Set(Planner.misfits(shape, output: folder.path("run")).map(\.stage))
    #expect(stages.isSuperset(of: ["sample", "collect", "evaluate", "run"]))

    // What is evaluated is no more than the text has.
    let bounded = try PipelineShape(
      document, Checkpoint.open(model), sources: [], evaluated: [folder.path("text.jsonl")], threads: 64, shards: 1)
    #expect(bounded.evaluationTokens < 40 * 300)
  }

  /// The shape of Llama-3-70B, in a file of 141 GB that takes no room.
  private func makeLargeModel(_ path: String) throws {
    let layers = 80
    let shapes: [String: [Int]] = ["model.embed_tokens.weight": [128256, 8192], "model.norm.weight": [8192]]
    let parts = [
      "self_attn.q_proj": [8192, 8192], "self_attn.k_proj": [1024, 8192], "self_attn.v_proj": [1024, 8192],
      "self_attn.o_proj": [8192, 8192], "mlp.gate_proj": [28672, 8192], "mlp.up_proj": [28672, 8192],
      "mlp.down_proj": [8192, 28672], "input_layernorm": [8192], "post_attention_layernorm": [8192],
    ]
    var (entries, end) = ([String](), 0)
    func add(_ name: String, _ shape: [Int]) {
      let next = end + 2 * shape.reduce(1, *)
      entries.append("\"\(name)\": {\"dtype\": \"BF16\", \"shape\": \(shape), \"data_offsets\": [\(end), \(next)]}")
      end = next
    }
    for (name, shape) in shapes { add(name, shape) }
    add("lm_head.weight", [128256, 8192])
    for layer in 0..<layers { for (name, shape) in parts { add("model.layers.\(layer).\(name).weight", shape) } }
    var header = Array("{\(entries.joined(separator: ", "))}".utf8)
    header += [UInt8](repeating: 0x20, count: -header.count & 7)
    try writeAtomically(
      withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init) + header, to: path + "/model.safetensors")
    let file = try #require(FileHandle(forWritingAtPath: path + "/model.safetensors"))
    try file.truncate(atOffset: UInt64(8 + header.count + end))
    try file.close()

    var configuration = try String(contentsOfFile: path + "/config.json", encoding: .utf8)
    for (old, new) in [
      ("\"vocab_size\": 320", "\"vocab_size\": 128256"), ("\"hidden_size\": 64", "\"hidden_size\": 8192"),
      ("\"intermediate_size\": 160", "\"intermediate_size\": 28672"),
      ("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 80"),
      ("\"num_attention_heads\": 4", "\"num_attention_heads\": 64"),
      ("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 8"), ("\"head_dim\": 16", "\"head_dim\": 128"),
    ] { configuration.replace(old, with: new) }
    try writeAtomically(configuration.utf8, to: path + "/config.json")
  }

  @Test func amountsAddUp() {
    let work: WorkAmounts = [.forward: 2, .loading: 1, .forward: 3]
    let sum = work * 2 + [.loading: 1]
    #expect(sum[.forward] == 10 && sum[.loading] == 3 && sum[.solving] == 0)
    #expect(sum.seconds([.forward: 0.5, .loading: 2]) == 11)
  }
}
