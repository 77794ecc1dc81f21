import Checkpoints
import Evaluation
import Files
import Foundation
import Reports
import SparseBundle
import TestSupport
import Testing
import ThresholdSolver

@testable import Pipeline

/// What a manifest states of a bundle's quality, and measuring it again.
struct QualityTests {
  private let folder = TemporaryFolder()
  private let console = Console(quiet: true)

  @Test(arguments: [WeightType.f32, .q4, .int8Planes])
  func qualityIsThatOfEveryBudget(_ type: WeightType) throws {
    let (model, text) = (try TinyModel.llama.open(), try writeText("Winter came early."))
    let ladder = try export(model, type, text)
    let bundle = try ModelBundle(path: path)
    let quality = bundle.manifest.quality
    #expect(try quality.text == sha256(ofFile: file) && quality.command.hasSuffix("--text TEXT") && quality.seed == 0)

    let windows = try text.windows(model.tokenizer, model.configuration, model: model.path)
    #expect(quality.tokens == windows.reduce(0) { $0 + $1.count - 1 })
    let (dense, others) = try PerplexityMeasurement(model.weights, threads: 1)
      .run(TokenWindows(windows), [MeasuredWeights(bundle.weights, ladder)])
    #expect(quality.densePerplexity == dense.perplexity && quality.budgets.map(\.sparsity) == [0.5, 0.25])
    for (stated, measured) in zip(quality.budgets, others[0]) {
      #expect(stated.perplexity == measured.perplexity && stated.kl == measured.kl && stated.kl > 0)
      #expect(stated.activatedShare == ActivatedParameters(model.configuration, shares: measured.shares).share)
    }
    let loss = bundle.manifest.weights.activationRoundingKl
    #expect((bundle.manifest.weights.activations == .int8) == (loss.map { $0 < quality.budgets[0].kl / 10 } ?? false))
  }

  @Test(arguments: [false, true])
  func statedQualityIsMeasuredAgain(hasModel: Bool) throws {
    let (model, text) = (try TinyModel.llama.open(), try writeText("Winter came early."))
    _ = try export(model, .q4, text)
    let again = try remeasuring(hasModel ? model.path : nil, text)
    let checks = verify(again)
    #expect(checks.map(\.name) == ["quality at sparsity 0.5", "quality at sparsity 0.25"])
    #expect(checks.allSatisfy { $0.ok && $0.detail.contains("--model") != hasModel })

    let good = try manifest
    let stated = try ModelBundle(path: path).manifest.quality
    for (value, other) in [
      (stated.budgets[1].perplexity, 1.02), (stated.budgets[1].kl, 1.1), (stated.budgets[1].activatedShare, 0.99),
      (stated.densePerplexity, 1.001),
    ] {
      try writeAtomically(
        resealed(good.replacing("\(value)", with: "\(value * other)")), to: path + "/manifest.json")
      #expect(try manifest != good)
      let needsModel = value == stated.budgets[1].kl || value == stated.densePerplexity
      #expect(verify(again).contains { !$0.ok } == (!needsModel || hasModel))
    }
  }

  @Test func otherTextOrModelIsRefused() throws {
    let (model, text) = (try TinyModel.llama.open(), try writeText("Winter came early."))
    _ = try export(model, .f16, text)
    _ = try remeasuring(model.path, text)
    let qwen2 = TinyModel.qwen2.folder
    #expect(throws: PipelineError.otherModel(file: path, model: qwen2)) { try remeasuring(qwen2, text) }
    let (stated, other) = (try ModelBundle(path: path).manifest.quality.text, try writeText("Winter came late."))
    for (wrong, name) in [(other, try sha256(ofFile: file)), (.builtIn, "built-in")] {
      #expect(throws: PipelineError.otherText(bundle: path, stated: stated, given: name)) {
        try remeasuring(model.path, wrong)
      }
    }
  }

  private func remeasuring(_ model: String?, _ text: LossText) throws -> VerifyStage.Remeasuring {
    let manifest = try ModelBundle(path: path).manifest
    return try .init(manifest.quality, of: manifest.model, path, model: model, text)
  }

  private var path: String { folder.path("bundle") }
  private var file: String { folder.path("text.txt") }
  private var manifest: String {
    get throws { String(decoding: try bytes(ofFile: path + "/manifest.json"), as: UTF8.self) }
  }

  /// With a second budget; returns thresholds, the default's first.
  private func export(_ model: Checkpoint, _ type: WeightType, _ text: LossText) throws -> [Thresholds] {
    let thresholds = try model.someThresholds(for: type)
    let ladder = [thresholds, thresholds.scaled(to: 0.25)]
    try ExportStage(type: type, text: text, threads: 2)
      .run(model, ladder[0], others: [ladder[1]], output: path, console)
    return ladder
  }

  private func verify(_ remeasuring: VerifyStage.Remeasuring) -> [BundleCheck] {
    VerifyStage(remeasuring: remeasuring).run(path, console).filter { $0.name.hasPrefix("quality") }
  }

  private func writeText(_ sentence: String) throws -> LossText {
    try writeAtomically([String](repeating: sentence, count: 30).joined(separator: " ").utf8, to: file)
    return .files([file])
  }
}
