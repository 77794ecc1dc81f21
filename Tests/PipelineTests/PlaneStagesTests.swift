import ActivationStatistics
import Checkpoints
import Corpus
import Evaluation
import Files
import Foundation
import Reports
import SparseBundle
import SparseRuntime
import TestSupport
import Testing
import ThresholdSolver

@testable import Pipeline

/// Weights in planes, from a text to a bundle that is asked.
struct PlaneStagesTests {
  private let folder = TemporaryFolder()
  private let console = Console(quiet: true)

  @Test(arguments: [TinyModel.llama, .gemma3], PlaneFormat.allCases)
  func ladderIsExportedVerifiesAndDecodes(_ model: TinyModel, _ format: PlaneFormat) throws {
    let (checkpoint, path) = (try model.open(), folder.path("bundle"))
    let ladder = try solve(checkpoint, format, sparsities: [0.4, 0.6], head: true)
    #expect(ladder.allSatisfy { $0.planes == format })
    #expect(ladder[0].headMargin != nil && ladder[0].headMargin == ladder[1].headMargin)
    #expect((ladder[0].realised.fullHead ?? 0) > 0)
    let done = try ExportStage(type: WeightType(format), threads: 2)
      .run(checkpoint, ladder[0], others: [ladder[1]], output: path, console)
    let loss = try #require(done.loss)
    #expect((loss.activationRoundingKL == nil) == (format == .f16))
    #expect(format == .f16 ? loss.kl < 1e-5 : loss.kl > 1e-5)
    #expect(done.exact.weights == checkpoint.parameterCount)
    let checks = VerifyStage(prompts: ["Winter came"], tokensPerPrompt: 4, sparsity: 0.6, threads: 2).run(path, console)
    #expect(checks.filter { !$0.ok }.isEmpty)
    #expect(checks.contains { $0.name == "golden masks at sparsity 0.6" })

    let bundle = try ModelBundle(path: path, sparsity: 0.6)
    #expect(bundle.thresholds == ladder[1])
    let inspected = Dictionary(try Inspection(path: path).facts, uniquingKeysWith: { first, _ in first })
    #expect(inspected["weights"] == format.rawValue && inspected["FFN channels read by both planes"] != nil)
    let whole = ladder[0].layers.map { layer in (layer.full?.ffn ?? []).count { $0 == 0 } }.reduce(0, +)
    #expect(inspected["FFN channels always read whole"]?.split(separator: ";").first == "\(whole)")
    var stage = GenerateStage(maximumTokens: 4, oracle: true)
    let plain = try stage.run(bundle, prompt: "Winter", console)
    stage.oracle = false
    let fast = try stage.run(bundle, prompt: "Winter", console)
    #expect(fast.ids == plain.ids && fast.activatedShare < 1)
  }

  /// Thresholds mean the same beside the model as in a bundle, and nothing over weights that they do not grade.
  @Test func bundleIsMeasuredAsItsModelUnderTheSameThresholds() throws {
    let (checkpoint, path) = (try TinyModel.llama.open(), folder.path("bundle"))
    var thresholds = try solve(checkpoint, sparsities: [0.5], head: true)[0]
    thresholds.headMargin = 1  // the one found may read all rows of so small a model
    try ExportStage(type: .int8Planes, threads: 2).run(checkpoint, thresholds, output: path, console)
    let file = folder.path("thresholds.safetensors")
    try writeAtomically(thresholds.encoded(), to: file)
    let text = EvaluateStage(files: [try writeText()], sequenceLength: 32, maximumTokens: 128, threads: 2)
    func measure(_ source: MeasuredSource) throws -> Perplexity {
      let windows = try text.windows(source.tokenizer, model: source.name)
      return try text.run(
        source.reference, windows, [MeasuredWeights(source.weights, [source.thresholds])], model: source.name, console
      ).others[0][0]
    }
    let bundle = try MeasuredSource(model: checkpoint.path, bundle: path)
    let model = try MeasuredSource(model: checkpoint.path, bundle: nil, thresholds: file)
    let (a, b) = (try measure(bundle), try measure(model))
    #expect(a.nll == b.nll && (a.kl ?? 0) > 0 && a.shares == b.shares)
    #expect(bundle.bytes(a.shares) == model.bytes(b.shares))
    let read = try #require(a.shares[0].fullHead)
    #expect(read > 0 && read < 1)

    try ExportStage(type: .int8, threads: 2)
      .run(checkpoint, checkpoint.someThresholds(), output: folder.path("int8"), console)
    #expect(throws: BundleError.unlikeWeights(.planes, .int8, .int8)) {
      try MeasuredSource(model: nil, bundle: folder.path("int8"), thresholds: file)
    }
  }

  /// One command, from the text to a checked bundle.
  @Test func pipelineRunsThroughPlanes() throws {
    let text = try writeText()
    let pipeline = { (collect: String) in
      """
      model: {path: \(TinyModel.llama.folder)}
      sample: {sources: [{files: [\(text)]}], tokens: 256, sequence_length: 32, seed: 1}
      \(collect)
      solve: [{method: planes, attention: true, head: true, sparsity: [0.4, 0.5]}, {method: chess, sparsity: [0.5]}]
      evaluate: {files: [\(text)], sequence_length: 32, tokens: 128}
      export: {method: planes, attention: true, head: true, sparsity: 0.5, weights: int8-planes}
      """
    }
    try writeAtomically(pipeline("collect: {scores: int8-planes}").utf8, to: folder.path("pipeline.yaml"))
    let document = try PipelineDocument(path: folder.path("pipeline.yaml"))
    let report = try PipelineRunner(document, base: folder.root, output: folder.path("run"), threads: 2, console).run()
    let methods = try #require(report).methods
    #expect(methods.map(\.method) == [.planes, .planes, .chess])
    #expect(methods[0].realised.full != nil && methods[2].realised.full == nil)
    #expect(methods[0].realised.fullHead != nil && methods[0].head == true && methods[2].head == nil)
    #expect(methods.allSatisfy { $0.kl > 0 } && methods[0].activatedShare > methods[1].activatedShare)
    #expect(try #require(report).verification?.checks.allSatisfy(\.ok) == true)
    #expect(try ModelBundle(path: folder.path("run/bundle")).manifest.weights.type == .int8Planes)

    for collect in ["collect: {sinks: 0}", "collect: {scores: f16-planes}"] {
      try writeAtomically(pipeline(collect).utf8, to: folder.path("other.yaml"))
      #expect(throws: PipelineError.self) { try PipelineDocument(path: folder.path("other.yaml")) }
    }
  }

  /// Statistics alone do not tell where grades lie.
  @Test func confidenceOfGradesIsRefused() throws {
    let thresholds = try solve(TinyModel.llama.open(), sparsities: [0.5])[0]
    #expect(throws: PipelineError.self) { try ConfidenceStage.run(of: thresholds, ["a.h5", "b.h5"], console) }
  }

  @Test func comparisonOfAMethodOnOtherWeightsIsRefused() throws {
    let path = folder.path("compare.yaml")
    let document = { (method: String) in
      "model: {path: m}\nstatistics: s.h5\nevaluate: {files: [t], tokens: 64, sequence_length: 32}\nrows:\n"
        + "  - {method: \(method), sparsity: [0.5], weights: int8-planes}\n"
    }
    try writeAtomically(document("planes").utf8, to: path)
    _ = try ComparisonDocument(path: path)
    try writeAtomically(document("planes, head: true").utf8, to: path)
    guard case .method(let entry, _) = try ComparisonDocument(path: path).rows[0] else { throw NoMethod() }
    #expect(try entry.requests.map(\.head) == [true])
    for method in ["chess", "energy, head: true"] {
      try writeAtomically(document(method).utf8, to: path)
      #expect(throws: PipelineError.self) { try ComparisonDocument(path: path) }
    }
  }

  private struct NoMethod: Error {}

  /// The same margin for all that ask for one, within its limits on the text that it was found on.
  @Test func marginOfTheHeadIsFoundOnce() throws {
    let checkpoint = try TinyModel.llama.open()
    let whole = try solve(checkpoint, sparsities: [0.5])[0]
    #expect(whole.headMargin == nil && whole.realised.fullHead == nil && !whole.request.head)
    let probe = HeadProbe(model: checkpoint, sample: folder.path("sample.h5"), threads: 1, planes: .int8)
    let found = try #require(try probe.run(console))
    let (point, text) = (found.point, found.text)
    #expect(point.kl < HeadProbe.greatestKL && point.missed <= HeadProbe.greatestMissed)
    let onDemand = try solve(checkpoint, sparsities: [0.5], head: true, sample: folder.path("sample.h5"))[0]
    #expect(onDemand.headOffsets == found.offsets && found.offsets.count == checkpoint.configuration.vocabularySize)
    #expect(onDemand.headMargin == point.margin && onDemand.realised.fullHead == point.share)
    let sample = try TokenSequences(contentsOf: URL(filePath: folder.path("sample.h5")))
    #expect(onDemand.headMeasuredOn == text && text.text == sample.contentHash)
    #expect(onDemand.allocationMeasuredOn == nil)
    #expect(onDemand.layers == whole.layers)
  }

  /// The means of what high planes leave out, of the text that numpy ran; of a longer one, of sequences all over it.
  @Test(arguments: [1, 2]) func offsetsOfHighPlanesAreNumpys(threads: Int) throws {
    let oracle = try SharedFixtures.safetensors("statistics/planes.safetensors")
    let probe = OffsetProbe(weights: try TinyModel.llama.inPlanes(), threads: threads)
    let found = try probe.run([oracle.integers(of: "ids")])
    for (index, offsets) in found.enumerated() {
      let expected = try oracle.planeOffsets(layer: index)
      for (own, other) in [(offsets.gate, expected.gate), (offsets.up, expected.up)] {
        #expect(own.count == 160 && zip(own, other).allSatisfy { ($0 - $1).magnitude < 1e-5 })
      }
    }
    #expect(found.count == 3)

    let sequences = (0..<300).map { [Int32](repeating: $0, count: 64) }
    let sample = try TokenSequences(
      tokens: sequences.flatMap { $0 }, sequenceLength: 64,
      provenance: SampleProvenance(seed: 1, requestedTokens: 64 * 300, endOfText: 0, tokenizer: "", sources: []))
    let first = OffsetProbe.sequences(of: sample).map { $0[0] }
    #expect(first.count == 64 && first.indices.allSatisfy { first[$0] == Int32($0 * 300 / 64) })
  }

  /// Parts are collected with the offsets of the whole sample, so that they add up to its statistics, to the last bit.
  @Test func shardsHaveTheOffsetsOfTheWhole() throws {
    let checkpoint = try TinyModel.llama.open()
    let whole = try solve(checkpoint, sparsities: [0.5])[0]
    let sample = folder.path("sample.h5")
    let shards = try (1...2).map { index in
      let path = folder.path("\(index).h5")
      try CollectStage(threads: 2, scores: .int8).run(
        checkpoint, TokenSequences(contentsOf: URL(filePath: sample)), samplePath: sample, output: path,
        shard: .init(index: index, count: 2), resuming: .never, console)
      return path
    }
    try StatisticsFile.merge(shards, to: folder.path("merged.h5"))
    #expect(try bytes(ofFile: folder.path("merged.h5")) == bytes(ofFile: folder.path("statistics.h5")))
    #expect(try whole.layers.map(\.offsets) == (0..<3).map { try StatisticsFile(path: shards[0]).layer($0).offsets })
    #expect(whole.layers.allSatisfy { $0.offsets != nil })
  }

  /// Samples a text, collects its statistics with scores, and solves.
  private func solve(
    _ checkpoint: Checkpoint, _ format: PlaneFormat = .int8, sparsities: [Double], head: Bool = false,
    sample text: String? = nil
  ) throws -> [Thresholds] {
    let (sample, statistics) = (folder.path("sample.h5"), folder.path("statistics.h5"))
    try SampleStage(sources: [TextSource(patterns: [try writeText()])], tokens: 512, sequenceLength: 32, seed: 1)
      .run(checkpoint, output: sample, console)
    try CollectStage(threads: 2, scores: format).run(
      checkpoint, TokenSequences(contentsOf: URL(filePath: sample)), samplePath: sample, output: statistics,
      resuming: .never, console)
    let requests = try sparsities.map { try SolverRequest(method: .planes, attention: true, head: head, sparsity: $0) }
    return try SolveStage(requests, sample: text).run(checkpoint, StatisticsFile(path: statistics), console)
  }

  private func writeText() throws -> String {
    let path = folder.path("text.jsonl")
    let lines = (0..<40).map { #"{"text": "Document \#($0) says that winter came early."}"# }
    try writeAtomically(lines.joined(separator: "\n").utf8, to: path)
    return path
  }
}
