import Checkpoints
import Files
import Foundation
import TestSupport
import Testing
import ThresholdSolver

@testable import SparseBundle

struct BundleWriterTests {
  let folder = TemporaryFolder()
  private let ids: [[Int32]] = [[1, 2, 3], [4, 5]]

  @Test(arguments: WeightType.allCases)
  func sameInputsGiveTheSameBytes(_ type: WeightType) throws {
    for name in ["a", "b"] { try TinyModel.qwen3.open().writeBundle(to: folder.path(name), type, ids) }
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("a"))
    #expect(files.sorted() == (BundleFile.listed + [BundleFile.manifest]).sorted())
    for file in files {
      #expect(try bytes(ofFile: folder.path("a/\(file)")) == bytes(ofFile: folder.path("b/\(file)")), "\(file)")
    }
  }

  @Test(arguments: [(false, false), (true, false), (false, true), (true, true)], TinyModel.allCases)
  func partsReadBackAreWhatWasWritten(_ parts: (attention: Bool, isExtended: Bool), _ model: TinyModel) throws {
    let (attention, isExtended) = parts
    let checkpoint = try model.open()
    let golden = try checkpoint.writeBundle(
      to: folder.path("b"), .f32, ids, attention: attention, isExtended: isExtended)
    #expect(golden.texts.allSatisfy { $0.kept.joined().allSatisfy { ($0.down != nil) == isExtended } })
    let bundle = try ModelBundle(path: folder.path("b"))
    #expect(try bundle.golden == golden)
    #expect(try bundle.thresholds == checkpoint.someThresholds(attention: attention, isExtended: isExtended))
    #expect(try bundle.tokenizer == checkpoint.tokenizer)
    #expect(bundle.manifest.model.parameters == checkpoint.parameterCount)
    #expect(try bundle.manifest.model.sha256 == checkpoint.hash)
  }

  @Test func weightBeyondF16IsAnErrorThatLeavesNothing() throws {
    // As the minimum of a q4 group it must be a binary16, too.
    let model = try modelWith(weight: -70_000)
    for type in [WeightType.f16, .q4] {
      let error = BundleError.outOfRange(tensor: "model.layers.1.mlp.up_proj.weight", type: type)
      #expect(throws: error) { try model.writeBundle(to: folder.path("bundle"), type, []) }
    }
    #expect(folder.entries == ["model"])
    for type in [WeightType.bf16, .f32, .int8] {
      #expect(throws: Never.self) { try model.writeBundle(to: folder.path("bundle"), type, []) }
    }
  }

  @Test(arguments: WeightType.allCases)
  func weightThatIsNoNumberIsRefused(_ type: WeightType) throws {
    let model = try modelWith(weight: .nan)
    #expect(throws: BundleError.notFinite(tensor: "model.layers.1.mlp.up_proj.weight")) {
      try model.writeBundle(to: folder.path("bundle"), type, [])
    }
    #expect(folder.entries == ["model"])
  }

  /// What was there before stays.
  @Test func failedWriteLeavesTheOldBundle() throws {
    try TinyModel.llama.open().writeBundle(to: folder.path("bundle"), .bf16, ids)
    let before = try bytes(ofFile: folder.path("bundle/manifest.json"))
    let model = try modelWith(weight: 70_000)
    #expect(throws: BundleError.self) { try model.writeBundle(to: folder.path("bundle"), .f16, []) }
    #expect(try bytes(ofFile: folder.path("bundle/manifest.json")) == before)
    #expect(folder.entries == ["bundle", "model"])
  }

  @Test func thresholdsOfAnotherModelAreRefused() throws {
    let (model, other) = (try TinyModel.llama.open(), try TinyModel.qwen3.open())
    let error = BundleError.otherModel(thresholds: try other.hash, model: try model.hash)
    #expect(throws: error) {
      try BundleWriter(model: model, thresholds: other.someThresholds(), type: .f32, toolVersion: "1")
    }
    var thresholds = try model.someThresholds()
    thresholds.layers.removeLast()
    #expect(throws: SolverError.self) {
      try BundleWriter(model: model, thresholds: thresholds, type: .f32, toolVersion: "1")
    }
  }

  /// The tiny Llama 3, with another weight in layer 1's up projection.
  private func modelWith(weight: Float) throws -> Checkpoint {
    try FileManager.default.copyItem(atPath: TinyModel.llama3.folder, toPath: folder.path("model"))
    let path = folder.path("model/model.safetensors")
    let header = try SafetensorsFile(path: path).header
    let tensor = try #require(header.tensor(named: "model.layers.1.mlp.up_proj.weight"))
    var contents = try bytes(ofFile: path)
    let start = contents.count - header.dataSize + tensor.byteRange.lowerBound
    withUnsafeBytes(of: weight.bitPattern.littleEndian) { contents.replaceSubrange(start..<start + 4, with: $0) }
    try writeAtomically(contents, to: path)
    return try Checkpoint.open(folder.path("model"))
  }
}
