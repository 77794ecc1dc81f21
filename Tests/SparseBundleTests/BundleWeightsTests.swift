import Checkpoints
import Files
import Foundation
import TestSupport
import Testing
import Zstandard

@testable import SparseBundle

struct BundleWeightsTests {
  let folder = TemporaryFolder()

  @Test(arguments: TinyModel.allCases, WeightType.allCases)
  func weightsReadBackAreTheModelsRounded(_ model: TinyModel, type: WeightType) throws {
    let checkpoint = try model.open()
    try checkpoint.writeBundle(to: folder.path("bundle"), type, [[1, 2]])
    let bundle = try ModelBundle(path: folder.path("bundle"))
    #expect(bundle.configuration == checkpoint.configuration)
    let (written, source) = (bundle.weights, checkpoint.weights)
    for index in 0..<checkpoint.configuration.layerCount {
      let (a, b) = (try written.layer(index), try source.layer(index))
      for part in [\LayerWeights.query, \.key, \.value, \.output, \.gate, \.up, \.down] {
        #expect(a[keyPath: part].values == b[keyPath: part].values.map { rounded($0, type) })
      }
      for part in [\LayerWeights.queryBias, \.keyBias, \.valueBias, \.queryNorm, \.keyNorm] {
        #expect(a[keyPath: part] == b[keyPath: part])
      }
      #expect(a.attentionNorm == b.attentionNorm && a.ffnNorm == b.ffnNorm)
    }
    #expect(try written.finalNorm() == source.finalNorm())
    #expect(try written.outputHead().values == source.outputHead().values.map { rounded($0, type) })
    let tokens: [Int32] = [5, 0, 319, 5]
    #expect(try written.embeddings(of: tokens).values == source.embeddings(of: tokens).values.map { rounded($0, type) })
  }

  /// What export's golden vectors are computed with is what a bundle will hold.
  @Test(arguments: WeightType.allCases)
  func roundedWeightsAreThoseOfABundle(_ type: WeightType) throws {
    let checkpoint = try TinyModel.qwen2.open()
    try checkpoint.writeBundle(to: folder.path("bundle"), type, [[1, 2]])
    let written = try ModelBundle(path: folder.path("bundle")).weights
    let rounded = RoundedWeights(checkpoint.weights, type)
    let (a, b) = (try written.layer(1), try rounded.layer(1))
    #expect(a.query.values == b.query.values && a.down.values == b.down.values && a.queryBias == b.queryBias)
    #expect(try written.outputHead().values == rounded.outputHead().values)
    #expect(try written.embeddings(of: [7]).values == rounded.embeddings(of: [7]).values)
  }

  /// `zstd -d` gives this file; its header is read by the same code as any other's.
  @Test(arguments: TinyModel.allCases, WeightType.allCases)
  func unpackedFileIsSafetensorsWithAlignedTensors(_ model: TinyModel, type: WeightType) throws {
    let checkpoint = try model.open()
    try checkpoint.writeBundle(to: folder.path("bundle"), type, [[1, 2]])
    let reader = try ZstandardReader(
      source: FileReader(path: folder.path("bundle/weights.safetensors.zst")).chunks())
    var unpacked: [UInt8] = []
    while let chunk = try reader.next() { unpacked += chunk }
    try writeAtomically(unpacked, to: folder.path("weights.safetensors"))

    let file = try SafetensorsFile(path: folder.path("weights.safetensors"))
    #expect((unpacked.count - file.header.dataSize).isMultiple(of: 64))
    let tensors = file.header.tensors.filter { !$0.name.hasPrefix("padding.") }
    #expect(tensors.count == checkpoint.configuration.modelTensors.count)
    #expect(tensors.allSatisfy { $0.byteRange.lowerBound.isMultiple(of: 64) })
    let layer = try checkpoint.weights.layer(1)
    for (name, matrix) in [
      ("self_attn.q_proj.weight_t", layer.query.transposed()), ("self_attn.o_proj.weight_t", layer.output.transposed()),
      ("mlp.down_proj.weight_t", layer.down.transposed()), ("mlp.up_proj.weight", layer.up),
      ("mlp.gate_proj.weight", layer.gate), ("self_attn.k_proj.weight", layer.key),
    ] {
      #expect(file.header.tensor(named: "model.layers.1.\(name)")?.shape == [matrix.rows, matrix.columns])
      #expect(try file.values(of: "model.layers.1.\(name)") == matrix.values.map { rounded($0, type) })
    }
  }

  /// To the nearest, ties to even, by other arithmetic.
  private func rounded(_ x: Float, _ type: WeightType) -> Float {
    func toMultiples(of unit: Double) -> Float { Float((Double(x) / unit).rounded(.toNearestOrEven) * unit) }
    return switch type {
    case .f32: x
    case .f16: toMultiples(of: exp2(Double(max(x.exponentOrZero, -14) - 10)))
    case .bf16: toMultiples(of: exp2(Double(x.exponentOrZero - 7)))
    }
  }
}

extension Float {
  fileprivate var exponentOrZero: Int { self == 0 ? 0 : Int(exponent) }
}
