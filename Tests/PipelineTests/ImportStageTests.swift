import Checkpoints
import Foundation
import Interchange
import Reports
import SparseBundle
import TestSupport
import Testing

@testable import Pipeline

struct ImportStageTests {
  private let folder = TemporaryFolder()
  private let console = Console(quiet: true)

  @Test func dictionariesComeBackAsTheyWere() throws {
    let (checkpoint, bundle) = try exported()
    try CHESSDictionary(bundle, measured(bundle).layers).write(to: folder.path("handoff.pt"))
    let imported = try imported(checkpoint, .chessPt, "handoff.pt")
    #expect(imported.thresholds.layers == bundle.thresholds.layers)
    let sparsification = imported.manifest.sparsification
    #expect(sparsification.method == .imported && sparsification.attention == bundle.thresholds.request.attention)
    #expect(abs(sparsification.sparsity - sparsification.realised.ffn) <= 0.0005)
    #expect(sparsification.statisticsSha256 == (try checksum("handoff.pt")))
  }

  @Test func relativeThresholdsKeepAsMuch() throws {
    let (checkpoint, bundle) = try exported()
    let measured = try measured(bundle)
    var relative = try PerChannelThresholds(bundle) { (measured.layers, measured.text) }
    relative.targetActiveFrac = 0.01  // what a file claims is not what its thresholds do
    try relative.write(to: folder.path("handoff.json"))
    let imported = try imported(checkpoint, .perChannelJSON, "handoff.json")
    let sparsification = imported.manifest.sparsification
    #expect(abs(sparsification.sparsity - sparsification.realised.ffn) <= 0.0005 && sparsification.sparsity < 0.9)
    // Measured on the same text, there and back.
    for (a, b) in zip(bundle.thresholds.layers, imported.thresholds.layers) {
      // Below 0.01 there are next to no values, and every threshold keeps as much as the next.
      for (a, b) in zip(a.ffn, b.ffn) { #expect(a < 0.01 ? b < 0.02 : abs(a - b) <= 0.15 * a) }
      #expect(b.query == nil)
    }
  }

  @Test func somethingElseIsNotReplaced() throws {
    let (checkpoint, bundle) = try exported()
    try CHESSDictionary(bundle, measured(bundle).layers).write(to: folder.path("handoff.pt"))
    try Data("mine".utf8).write(to: URL(filePath: folder.path("imported")))
    #expect(throws: BundleError.notABundle(path: folder.path("imported"))) {
      try imported(checkpoint, .chessPt, "handoff.pt")
    }
  }

  private func exported() throws -> (Checkpoint, ModelBundle) {
    let checkpoint = try TinyModel.llama.open()
    try ExportStage(type: .f32, threads: 1)
      .run(checkpoint, checkpoint.someThresholds(), output: folder.path("bundle"), console)
    return (checkpoint, try ModelBundle(path: folder.path("bundle")))
  }

  private func measured(_ bundle: ModelBundle) throws -> GateMeasurement.Measured {
    try GateMeasurement(text: .builtIn, threads: 2).run(bundle, console)
  }

  private func imported(
    _ checkpoint: Checkpoint, _ format: ForeignThresholds.Format, _ name: String
  ) throws -> ModelBundle {
    let foreign = try ForeignThresholds(path: folder.path(name), format, for: checkpoint.configuration)
    try ImportStage(export: ExportStage(type: .f32, threads: 2))
      .run(checkpoint, foreign, output: folder.path("imported"), console)
    return try ModelBundle(path: folder.path("imported"))
  }

  private func checksum(_ name: String) throws -> String {
    try ForeignThresholds(path: folder.path(name), .chessPt, for: TinyModel.llama.open().configuration).hash
  }
}
