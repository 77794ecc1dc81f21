import Checkpoints
import Foundation
import SparseBundle
import TestSupport
import Testing

@testable import Interchange

struct TransformersHandoffTests {
  private let folder = TemporaryFolder()

  @Test(arguments: [TinyModel.llama, .llama3, .qwen2, .qwen3])
  func weightsReadBackAsTheBundles(_ tiny: TinyModel) throws {
    let bundle = try folder.bundle(tiny, .f32)
    try TransformersHandoff(bundle).write(to: folder.path("handoff"))
    try expectSameWeights(Checkpoint.open(folder.path("handoff")).weights, bundle)
  }

  /// Gemma's norms are stored less one: taking it off and adding it again rounds.
  @Test func gemmasNormsReadBackAsTheBundles() throws {
    let bundle = try folder.bundle(.gemma3, .f32)
    try TransformersHandoff(bundle).write(to: folder.path("handoff"))
    try expectSameWeights(Checkpoint.open(folder.path("handoff")).weights, bundle, normsWithin: 1.2e-7)
  }

  @Test func integerCodesAreUnpacked() throws {
    let bundle = try folder.bundle(.llama, .q4)
    try TransformersHandoff(bundle).write(to: folder.path("handoff"))
    try expectSameWeights(Checkpoint.open(folder.path("handoff")).weights, bundle)
  }

  @Test func thresholdsAreTheBundlesFile() throws {
    let bundle = try folder.bundle(.llama, .f16)
    try TransformersHandoff(bundle).write(to: folder.path("handoff"))
    func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: folder.path(path))) }
    for name in ["thresholds.safetensors", "tokenizer.json", "tokenizer_config.json"] {
      #expect(try bytes("handoff/" + name) == bytes("bundle/" + name))
    }
  }

  @Test func anEarlierHandoffIsReplacedAndNothingElse() throws {
    let bundle = try folder.bundle(.llama, .f16)
    for _ in 0..<2 { try TransformersHandoff(bundle).write(to: folder.path("handoff")) }
    let other = HandoffError.notReplaceable(path: folder.path("bundle"))
    #expect(throws: other) { try TransformersHandoff(bundle).write(to: folder.path("bundle")) }
    // Of another format, with something that is somebody's, and one whose names alone are ours.
    func expectKept() {
      #expect(throws: HandoffError.notReplaceable(path: folder.path("handoff"))) {
        try TransformersHandoff(bundle).write(to: folder.path("handoff"))
      }
    }
    #expect(throws: HandoffError.notReplaceable(path: folder.path("handoff"))) {
      try ONNXHandoff(bundle).write(to: folder.path("handoff"))
    }
    try Data("years of work".utf8).write(to: URL(filePath: folder.path("handoff/thesis.txt")))
    expectKept()
    try FileManager.default.removeItem(atPath: folder.path("handoff/thesis.txt"))
    try FileManager.default.removeItem(atPath: folder.path("handoff/gambit_handoff.json"))
    expectKept()
  }

  @Test func whatCannotBeCarriedIsRefused() throws {
    #expect(throws: HandoffError.self) { try TransformersHandoff(folder.bundle(.llama, .int8Planes)) }
    #expect(throws: HandoffError.self) { try TransformersHandoff(folder.bundle(.llama, .f16), weights: .q8_0) }
  }
}
