import Checkpoints
import Foundation
import SparseBundle
import TestSupport
import Testing

@testable import Interchange

struct GGUFHandoffTests {
  private let folder = TemporaryFolder()

  @Test(arguments: [TinyModel.llama, .llama3, .qwen2, .qwen3])
  func weightsReadBackAsTheBundles(_ tiny: TinyModel) throws {
    let bundle = try bundle(tiny, .f32)
    try GGUFHandoff(bundle).write(to: folder.path("model.gguf"))
    try expectSameWeights(Checkpoint.open(folder.path("model.gguf")).weights, bundle)
  }

  @Test func thresholdsReadBackBitForBit() throws {
    let bundle = try bundle(.llama, .f16)
    try GGUFHandoff(bundle).write(to: folder.path("model.gguf"))
    let file = try GGUFFile(path: folder.path("model.gguf"))
    for (index, layer) in bundle.thresholds.layers.enumerated() {
      #expect(file["gambit.layers.\(index).ffn.threshold"] == .floatArray(layer.ffn.map(Double.init)))
    }
    #expect(file["gambit.thresholds.method"] == .string(bundle.thresholds.request.method.rawValue))
    #expect(file["gambit.thresholds.model_sha256"] == .string(bundle.manifest.model.sha256))
  }

  @Test(arguments: [HandoffWeights.f16, .q8_0])
  func roundedWeightsAreTheNearest(_ weights: HandoffWeights) throws {
    let bundle = try bundle(.llama, .f32)
    try GGUFHandoff(bundle, weights: weights).write(to: folder.path("model.gguf"))
    let (read, exact) = (
      try Checkpoint.open(folder.path("model.gguf")).weights.layer(1).gate, try bundle.weights.layer(1).gate
    )
    for start in stride(from: 0, to: exact.values.count, by: 32) {
      let block = exact.values[start..<start + 32]
      let greatest = block.map(\.magnitude).max() ?? 0
      // Half a step, and what rounding the scale to binary16 adds at the largest code.
      let step = weights == .q8_0 ? greatest / 127 * (0.5 + 127 / 2048) : greatest / 2048
      for (a, b) in zip(block, read.values[start..<start + 32]) { #expect((a - b).magnitude <= step * 1.001) }
    }
    // What is read is written the same again.
    let tensor = try #require(try GGUFFile(path: folder.path("model.gguf")).tensor(named: "blk.1.ffn_gate.weight"))
    let written = try Data(contentsOf: URL(filePath: folder.path("model.gguf")))[tensor.byteRange]
    #expect(Array(written) == read.values.withUnsafeBufferPointer { weights.bytes(of: $0) })
  }

  @Test func sameBundleMakesSameBytes() throws {
    let bundle = try bundle(.qwen2, .f16)
    for name in ["a", "b"] { try GGUFHandoff(bundle).write(to: folder.path(name)) }
    #expect(try Data(contentsOf: URL(filePath: folder.path("a"))) == Data(contentsOf: URL(filePath: folder.path("b"))))
  }

  @Test func whatCannotBeCarriedIsRefused() throws {
    #expect(throws: HandoffError.self) { try GGUFHandoff(bundle(.gemma3, .f32)) }
    #expect(throws: HandoffError.self) { try GGUFHandoff(bundle(.llama, .int8Planes)) }
  }

  private func bundle(_ tiny: TinyModel, _ type: WeightType) throws -> ModelBundle {
    try folder.bundle(tiny, type)
  }
}
