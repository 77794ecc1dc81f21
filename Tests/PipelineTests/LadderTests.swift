import Checkpoints
import Files
import Reports
import SparseBundle
import TestSupport
import Testing
import ThresholdSolver

@testable import Pipeline

/// One solve for several budgets, one bundle of them, and what it is asked for.
struct LadderTests {
  private let folder = TemporaryFolder()
  private let console = Console(quiet: true)

  @Test(arguments: [SolverRequest.Method.chess, .energy], [WeightType.f32, .int8])
  func ladderIsExportedAndVerifiesAtEveryBudget(_ method: SolverRequest.Method, type: WeightType) throws {
    let ladder = try solve(method, [0.5, 0.3, 0.7], sourceShare: method == .energy ? 0.3 : nil)
    let path = folder.path("bundle")
    try ExportStage(type: type, threads: 2)
      .run(TinyModel.llama.open(), ladder[0], others: Array(ladder.dropFirst()), output: path, console)
    for (thresholds, sparsity) in zip(ladder, [nil, 0.3, 0.7]) {
      let source = try MeasuredSource(model: nil, bundle: path, sparsity: sparsity)
      #expect(source.thresholds == thresholds)
    }
    let stage = VerifyStage(prompts: ["Winter came"], tokensPerPrompt: 4, sparsity: 0.7, threads: 2)
    let checks = stage.run(path, console)
    #expect(checks.filter { !$0.ok }.isEmpty)
    for name in ["golden masks", "golden masks at sparsity 0.3", "golden sparse logits at sparsity 0.7"] {
      #expect(checks.contains { $0.name == name })
    }
  }

  /// Whole by its hashes and by what the manifest says of it, but thresholds of one channel are not those recorded.
  @Test func wrongDecisionsOfAnyBudgetAreFound() throws {
    let ladder = try solve(.chess, [0.5, 0.3])
    var wrong = ladder[1]
    for index in wrong.layers.indices { wrong.layers[index].ffn[0] = .infinity }
    let (good, bad) = (folder.path("good"), folder.path("bad"))
    for (path, other) in [(good, ladder[1]), (bad, wrong)] {
      try ExportStage(type: .f32, threads: 1).run(
        TinyModel.llama.open(), ladder[0], others: [other], output: path, console)
    }
    let golden = "golden-0.3.safetensors"
    try writeAtomically(bytes(ofFile: good + "/" + golden), to: bad + "/" + golden)
    let manifest = String(decoding: try bytes(ofFile: bad + "/manifest.json"), as: UTF8.self)
    let entry = try #require(try ModelBundle(path: bad).manifest.files.first { $0.name == golden })
    let hash = try sha256(ofFile: bad + "/" + golden)
    try writeAtomically(
      resealed(manifest.replacingOccurrences(of: entry.sha256, with: hash)), to: bad + "/manifest.json")
    let failed = VerifyStage().run(bad, console).filter { !$0.ok }.map(\.name)
    #expect(failed == ["golden masks at sparsity 0.3"])
  }

  @Test func sourcesOfEachSparsityCannotShareABundle() throws {
    let model = try TinyModel.llama.open()
    let ladder = try solve(.energy, [0.3, 0.7])
    #expect(ladder[0].layers.map(\.upDecides) != ladder[1].layers.map(\.upDecides))
    #expect(throws: BundleError.self) {
      try ExportStage(type: .f32, threads: 1)
        .run(model, ladder[0], others: [ladder[1]], output: folder.path("bundle"), console)
    }
    #expect(folder.entries.isEmpty)
  }

  private func solve(
    _ method: SolverRequest.Method, _ sparsities: [Double], sourceShare: Double? = nil
  ) throws -> [Thresholds] {
    let model = try TinyModel.llama.open()
    let records = try collectStatistics(model.weights, calibrationSequences(), sinkPositions: 0)
    let requests = try sparsities.map {
      try SolverRequest(method: method, sourceShare: sourceShare, attention: true, sparsity: $0)
    }
    let layers = records.map { Thresholds.Layer.solve($0, requests, gateActivation: .silu) }
    return try requests.indices.map { index in
      let shares = zip(layers, records).map { $0[index].sharesDropped($1, gateActivation: .silu) }
      return Thresholds(
        request: requests[index], layers: layers.map { $0[index] }, realised: Thresholds.Shares(meanOf: shares),
        modelHash: try model.hash, corpusHash: someDigest("c"), statisticsHash: someDigest("d"))
    }
  }
}
