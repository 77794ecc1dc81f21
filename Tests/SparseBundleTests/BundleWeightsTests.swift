import Checkpoints
import Files
import Foundation
import LinearAlgebra
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
        let isTurned =
          [\LayerWeights.query, \.output, \.down].contains(part)
          || (type.isInPlanes && [\LayerWeights.key, \.value].contains(part))
        #expect(a[keyPath: part].values == rounded(b[keyPath: part], type, isTurned: isTurned))
      }
      for part in [\LayerWeights.queryBias, \.keyBias, \.valueBias, \.queryNorm, \.keyNorm] {
        #expect(a[keyPath: part] == b[keyPath: part])
      }
      #expect(a.attentionNorm == b.attentionNorm && a.ffnNorm == b.ffnNorm)
    }
    #expect(try written.finalNorm() == source.finalNorm())
    let ends = type == .q4 ? .int8 : type
    #expect(try written.outputHead().values == rounded(source.outputHead(), ends))
    let tokens: [Int32] = [5, 0, 319, 5]
    #expect(try written.embeddings(of: tokens).values == rounded(source.embeddings(of: tokens), ends))
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
    let c = checkpoint.configuration
    // Of a layer 12 planes for 7 matrices: gate and up projections share theirs.
    let more = c.layerCount * (12 - 7) + (c.tiedEmbeddings ? 1 : 2)
    #expect(tensors.count == c.modelTensors.count + (type.isInPlanes ? more : 0))
    #expect(tensors.allSatisfy { $0.byteRange.lowerBound.isMultiple(of: 64) })
    let layer = try checkpoint.weights.layer(1)
    guard let format = type.formats(of: .layer(1, .up)).first, !type.isInPlanes else { return }
    for (name, matrix) in [
      ("self_attn.q_proj.weight_t", layer.query.transposed()), ("self_attn.o_proj.weight_t", layer.output.transposed()),
      ("mlp.down_proj.weight_t", layer.down.transposed()), ("mlp.up_proj.weight", layer.up),
      ("mlp.gate_proj.weight", layer.gate), ("self_attn.k_proj.weight", layer.key),
    ] {
      let tensor = try #require(file.header.tensor(named: "model.layers.1.\(name)"))
      guard !type.isQuantized else {
        #expect(tensor.type == .u8 && tensor.shape == [matrix.rows, format.rowBytes(columns: matrix.columns)])
        continue
      }
      #expect(tensor.shape == [matrix.rows, matrix.columns])
      #expect(try file.values(of: tensor.name) == rounded(matrix, type))
    }
  }

  /// What a reader that maps the unpacked file is told.
  @Test(arguments: WeightType.allCases)
  func piecesAreTheFileAndEntriesSayWhereTensorsLie(_ type: WeightType) throws {
    let checkpoint = try TinyModel.qwen2.open()
    try checkpoint.writeBundle(to: folder.path("bundle"), type, [[1, 2]])
    let weights = try ModelBundle(path: folder.path("bundle")).weights
    var unpacked: [UInt8] = []
    try weights.forEachPiece { unpacked += $0 }
    #expect(unpacked.count == weights.unpackedSize)
    for entry in weights.layout.entries {
      #expect(entry.byteRange.lowerBound.isMultiple(of: 64))
      #expect(entry.byteRange.count == entry.shape.dropLast().reduce(1, *) * entry.rowBytes)
      for tensor in entry.tensors {
        // A large tensor is unpacked block by block.
        let blocks = entry.blocks(bytes: 5 * entry.tensors.count * entry.rowBytes)
        let values = try blocks.map { block in
          try weights.layout.stored(tensor, block: block) { part, body in unpacked[part.byteRange].withUnsafeBytes(body)
          }
          .values
        }
        #expect(try values.flatMap { $0 } == weights.stored(tensor).values)
        #expect(entry.shape.count == 1 || blocks.count > 1)
      }
      guard !type.isInPlanes else { continue }
      let matrix = try weights.stored(entry.tensors[0])
      let decoded = Matrix(rows: matrix.rows, columns: matrix.columns)
      entry.format.decode(Array(unpacked[entry.byteRange]), into: decoded)
      #expect(decoded.values == matrix.values)
    }
  }

  /// Beside digests: a record's own padding, its last code and its scale.
  @Test(arguments: [WeightType.int8, .q4])
  func changedRecordIsFound(_ type: WeightType) throws {
    let checkpoint = try TinyModel.llama3.open()  // rows of 48 weights
    try checkpoint.writeBundle(to: folder.path("bundle"), type, [[1, 2]])
    let weights = try ModelBundle(path: folder.path("bundle")).weights
    var unpacked: [UInt8] = []
    try weights.forEachPiece { unpacked += $0 }
    let entry = try #require(weights.layout.entries(of: .layer(1, .gate)).first)
    let row = entry.byteRange.lowerBound + 7 * entry.rowBytes
    func passes(_ changes: [Int: UInt8]) throws -> Bool {
      var changed = unpacked
      for (place, value) in changes { changed[row + place] = value }
      let path = folder.path("changed.zst")
      var packed: [UInt8] = []
      let writer = try SeekableWriter { packed += $0 }
      try writer.append(changed)
      try writer.finish()
      try writeAtomically(packed, to: path)
      let changedWeights = try BundleWeights(path: path, checkpoint.configuration, type, nil)
      return (try? changedWeights.unpackAll { _ in }) != nil
    }
    #expect(try passes([:]))
    #expect(try !passes([entry.rowBytes - 1: 1]))  // behind scales
    #expect(try !passes([type == .int8 ? 48 : 16: type == .int8 ? 1 : 0x10]))  // a code of column 48
    #expect(try !passes([type == .int8 ? 65 : 33: 0x7C]))  // the first scale
    if type == .int8 { #expect(try !passes([5: 0x80])) }
  }

  /// As stored, by other arithmetic.
  private func rounded(_ matrix: Matrix, _ type: WeightType, isTurned: Bool = false) -> [Float] {
    guard type.isQuantized else { return matrix.values.map { rounded($0, type) } }
    let stored = isTurned ? matrix.transposed() : matrix
    let values = (0..<stored.rows).flatMap { row in
      stride(from: 0, to: stored.columns, by: 32).flatMap { start in
        quantized((start..<min(start + 32, stored.columns)).map { stored[row, $0] }, type)
      }
    }
    let result = Matrix(rows: stored.rows, columns: stored.columns, values: values)
    return (isTurned ? result.transposed() : result).values
  }

  /// To the nearest, ties to even.
  private func rounded(_ x: Float, _ type: WeightType) -> Float {
    func toMultiples(of unit: Double) -> Float { Float((Double(x) / unit).rounded(.toNearestOrEven) * unit) }
    return switch type {
    case .f16, .f16Planes: toMultiples(of: exp2(Double(max(x.exponentOrZero, -14) - 10)))
    case .bf16: toMultiples(of: exp2(Double(x.exponentOrZero - 7)))
    default: x
    }
  }

  private func quantized(_ group: [Float], _ type: WeightType) -> [Float] {
    let minimum = type == .q4 ? rounded(group.min() ?? 0, .f16) : 0
    let scale =
      type == .q4
      ? rounded(((group.max() ?? 0) - minimum) / 15, .f16) : rounded((group.map(\.magnitude).max() ?? 0) / 127, .f16)
    guard scale > 0 else { return group.map { _ in minimum } }
    return group.map { weight in
      let code = ((weight - minimum) / scale).rounded(.toNearestOrEven)
      return (type == .q4 ? min(max(code, 0), 15) : min(max(code, -127), 127)) * scale + minimum
    }
  }
}

extension Float {
  fileprivate var exponentOrZero: Int { self == 0 ? 0 : Int(exponent) }
}
