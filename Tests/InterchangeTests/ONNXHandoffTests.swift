import Checkpoints
import Foundation
import SparseBundle
import TestSupport
import Testing

@testable import Interchange

struct ONNXHandoffTests {
  private let folder = TemporaryFolder()

  @Test func inputsAndOutputsAreThoseOfADecoderWithCache() throws {
    let graph = try written(folder.bundle(.llama, .f32)).graph
    let layers = 0..<3
    #expect(
      graph.inputs.map(\.name) == ["input_ids", "attention_mask", "position_ids"]
        + layers.flatMap { ["past_key_values.\($0).key", "past_key_values.\($0).value"] } + ["sparse"])
    #expect(
      graph.outputs.map(\.name) == ["logits"] + layers.flatMap { ["present.\($0).key", "present.\($0).value"] })
    let key = try #require(graph.inputs.first { $0.name == "past_key_values.0.key" })
    #expect(
      key.type.tensor.shape.dimensions
        == [.named("batch_size"), .fixed(2), .named("past_sequence_length"), .fixed(16)])
    let sparse = try #require(graph.initializers.first { $0.name == "sparse" })
    #expect(sparse.bytes == Data([1]) && sparse.elementType == .bool && sparse.dimensions.isEmpty)
  }

  /// Each node reads what there is already, and every value has one origin.
  @Test(arguments: TinyModel.allCases)
  func nodesAreInOrder(_ tiny: TinyModel) throws {
    let graph = try written(bundle(tiny, .f16, isExtended: true)).graph
    var known = Set(graph.inputs.map(\.name)).union(graph.initializers.map(\.name))
    for node in graph.nodes {
      #expect(node.inputs.allSatisfy(known.contains), "\(node.name)")
      for name in node.outputs { #expect(known.insert(name).inserted, "\(name)") }
    }
    #expect(graph.outputs.allSatisfy { known.contains($0.name) })
    #expect(Set(graph.initializers.map(\.name)).count == graph.initializers.count)
    let read = Set(graph.nodes.flatMap(\.inputs))
    #expect(graph.initializers.allSatisfy { read.contains($0.name) })
  }

  @Test(arguments: TinyModel.allCases, [WeightType.f32, .f16])
  func weightsLieBitForBitWhereTheGraphSays(_ tiny: TinyModel, _ type: WeightType) throws {
    let bundle = try folder.bundle(tiny, type)
    let graph = try written(bundle).graph
    let c = bundle.configuration
    let external = Dictionary(
      uniqueKeysWithValues: graph.initializers.filter { $0.location == .external }.map { ($0.name, $0) })
    #expect(external.count == c.modelTensors.count)
    var source = TensorSource(bundle.weights)
    for part in c.modelTensors {
      let tensor = try #require(external[TensorNaming.huggingFace.name(of: part, in: c.architecture)])
      let isMatrix = c.shape(of: part)?.count == 2
      #expect(tensor.elementType == (isMatrix && type == .f16 ? .float16 : .float))
      #expect(tensor.dimensions.map(Int.init) == c.shape(of: part))
      #expect(try contents(of: tensor) == encoded(source.values(of: part).values, half: isMatrix && type == .f16))
    }
  }

  /// Where either factor decides by a part of the input, rows lie as in the bundle.
  @Test func decidingRowsAreTogether() throws {
    let bundle = try bundle(.llama, .f32, isExtended: true)
    let graph = try written(bundle).graph
    let layer = try bundle.weights.layer(1)
    let upDecides = try #require(bundle.thresholds.layers[1].upDecides)
    func rows(up: Bool) -> [Float] {
      upDecides.indices.flatMap { row in
        let matrix = upDecides[row] == up ? layer.up : layer.gate
        return Array(UnsafeBufferPointer(start: matrix.row(row), count: matrix.columns))
      }
    }
    for (name, up) in [("deciding_proj", true), ("other_proj", false)] {
      let tensor = try #require(graph.initializers.first { $0.name == "model.layers.1.mlp.\(name).weight" })
      #expect(try contents(of: tensor) == encoded(rows(up: up), half: false))
    }
    #expect(!graph.initializers.contains { $0.name.hasSuffix("gate_proj.weight") })
  }

  @Test func thresholdsAreInTheGraphByTheirNames() throws {
    let bundle = try bundle(.qwen3, .f16, isExtended: true)
    let model = try written(bundle)
    for tensor in try EncodedThresholds(bundle.thresholds).tensors {
      let stored = try #require(model.graph.initializers.first { $0.name == tensor.name })
      #expect(stored.bytes == Data(tensor.bytes) && stored.dimensions.map(Int.init) == tensor.shape)
      #expect(stored.elementType == (tensor.type == .u8 ? .bool : .float))
    }
    #expect(model.metadata.contains(ONNXEntry("gambit.thresholds.method", "chess")))
  }

  @Test func tensorsBeginAtPages() throws {
    let graph = try written(folder.bundle(.gemma3, .f16)).graph
    let places = graph.initializers.filter { $0.location == .external }.map { place(of: $0) }
    for (place, next) in zip(places, places.dropFirst()) {
      #expect(place.lowerBound % 4096 == 0 && place.upperBound <= next.lowerBound)
    }
    #expect(try bytes(ofFile: folder.path("handoff/model.onnx_data")).count == places.last?.upperBound)
  }

  @Test func otherRuntimesFilesLieBeside() throws {
    let bundle = try folder.bundle(.llama, .f16)
    _ = try written(bundle)
    try TransformersHandoff(bundle).write(to: folder.path("transformers"))
    for name in ["generation_config.json", "tokenizer.json", "tokenizer_config.json"] {
      #expect(try bytes(ofFile: folder.path("handoff/" + name)) == bytes(ofFile: folder.path("transformers/" + name)))
    }
    let configuration = try String(decoding: bytes(ofFile: folder.path("handoff/config.json")), as: UTF8.self)
    #expect(!configuration.contains("auto_map") && configuration.contains("\"LlamaForCausalLM\""))
  }

  @Test func sameBundleMakesSameBytes() throws {
    let bundle = try bundle(.qwen2, .f16, isExtended: true)
    for name in ["a", "b"] { try ONNXHandoff(bundle).write(to: folder.path(name)) }
    for name in ["model.onnx", "model.onnx_data"] {
      #expect(try bytes(ofFile: folder.path("a/" + name)) == bytes(ofFile: folder.path("b/" + name)))
    }
  }

  @Test func anEarlierHandoffIsReplacedAndNothingElse() throws {
    let bundle = try folder.bundle(.llama, .f16)
    for _ in 0..<2 { try ONNXHandoff(bundle).write(to: folder.path("handoff")) }
    let other = HandoffError.notReplaceable(path: folder.path("bundle"))
    #expect(throws: other) { try ONNXHandoff(bundle).write(to: folder.path("bundle")) }
    // Anybody's export is called model.onnx.
    try FileManager.default.createDirectory(atPath: folder.path("export"), withIntermediateDirectories: true)
    try Data("a model".utf8).write(to: URL(filePath: folder.path("export/model.onnx")))
    #expect(throws: HandoffError.notReplaceable(path: folder.path("export"))) {
      try ONNXHandoff(bundle).write(to: folder.path("export"))
    }
  }

  @Test func whatCannotBeCarriedIsRefused() throws {
    #expect(throws: HandoffError.self) { try ONNXHandoff(folder.bundle(.llama, .int8Planes)) }
    #expect(throws: HandoffError.self) { try ONNXHandoff(folder.bundle(.llama, .f16), weights: .q8_0) }
  }

  // MARK: What was written

  private func bundle(_ tiny: TinyModel, _ type: WeightType, isExtended: Bool) throws -> ModelBundle {
    try tiny.open().writeBundle(to: folder.path("bundle"), type, [[1, 2]], isExtended: isExtended)
    return try ModelBundle(path: folder.path("bundle"))
  }

  private func written(_ bundle: ModelBundle) throws -> ONNXModel {
    try ONNXHandoff(bundle).write(to: folder.path("handoff"))
    return try ONNXModel(serializedBytes: bytes(ofFile: folder.path("handoff/model.onnx")))
  }

  private func place(of tensor: ONNXTensor) -> Range<Int> {
    let entries = Dictionary(uniqueKeysWithValues: tensor.external.map { ($0.key, $0.value) })
    let (offset, length) = (Int(entries["offset"] ?? ""), Int(entries["length"] ?? ""))
    return (offset ?? 0)..<(offset ?? 0) + (length ?? 0)
  }

  private func contents(of tensor: ONNXTensor) throws -> [UInt8] {
    Array(try bytes(ofFile: folder.path("handoff/model.onnx_data"))[place(of: tensor)])
  }

  private func encoded(_ values: [Float], half: Bool) -> [UInt8] {
    values.flatMap { value in
      half
        ? withUnsafeBytes(of: FloatBits.f16(from: value).littleEndian, Array.init)
        : withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init)
    }
  }
}
