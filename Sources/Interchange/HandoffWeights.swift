import Checkpoints
import Files
import LinearAlgebra
import SparseBundle

/// How the matrices of a dense model are encoded that is handed off. Raw values are the words of `--weights`.
// swift-format-ignore: AlwaysUseLowerCamelCase
public enum HandoffWeights: String, Sendable, CaseIterable, Codable {
  case f32, f16
  /// Blocks of 32 signed bytes with a binary16 scale.
  case q8_0

  /// GGUF's encoding of the same.
  var encoding: WeightEncoding {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .q8_0: .q8_0
    }
  }

  /// Safetensors' type of the same; `nil` where it has none.
  var type: SafetensorsType? {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .q8_0: nil
    }
  }

  /// How a tensor is encoded where matrices are encoded as this: norms and biases are float32 always.
  func encoding(of tensor: ModelTensor, in c: ModelConfiguration) -> HandoffWeights {
    c.shape(of: tensor)?.count == 2 ? self : .f32
  }

  /// `f32` or `f16`: what was chosen, or else the type of the bundle, or else `f32`.
  ///
  /// - Throws: ``HandoffError/cannotCarry(_:format:instead:)`` where another one was.
  static func floats(
    _ chosen: HandoffWeights?, of bundle: ModelBundle, for format: HandoffFormat
  ) throws(HandoffError) -> HandoffWeights {
    let weights = chosen ?? HandoffWeights(rawValue: bundle.manifest.weights.type.rawValue) ?? .f32
    guard weights.type != nil else {
      throw .cannotCarry("weights of \(weights.rawValue)", format: format, instead: "choose f16 or f32")
    }
    return weights
  }

  /// Hands the bytes of a matrix to `sink`, row by row.
  ///
  /// - Precondition: Rows are whole blocks.
  func forEachPiece(of matrix: Matrix, _ sink: ([UInt8]) throws -> Void) rethrows {
    for row in 0..<matrix.rows {
      try sink(bytes(of: UnsafeBufferPointer(start: matrix.row(row), count: matrix.columns)))
    }
    withExtendedLifetime(matrix) {}
  }

  /// Weights as they lie in the file; of `q8_0` as ggml's reference quantises them, half steps away from zero.
  ///
  /// - Precondition: There are whole blocks.
  func bytes(of weights: UnsafeBufferPointer<Float>) -> [UInt8] {
    switch self {
    case .f32: return littleEndian(weights) { $0.bitPattern }
    case .f16: return littleEndian(weights, FloatBits.f16)
    case .q8_0:
      var bytes: [UInt8] = []
      bytes.reserveCapacity(weights.count / encoding.weightsPerBlock * encoding.bytesPerBlock)
      for start in stride(from: 0, to: weights.count, by: encoding.weightsPerBlock) {
        let block = weights[start..<start + encoding.weightsPerBlock]
        let scale = (block.lazy.map(\.magnitude).max() ?? 0) / 127
        let inverse = scale == 0 ? 0 : 1 / scale
        bytes.append(littleEndian: FloatBits.f16(from: scale))
        for weight in block {
          bytes.append(UInt8(bitPattern: Int8((weight * inverse).rounded(.toNearestOrAwayFromZero))))
        }
      }
      return bytes
    }
  }

  private func littleEndian<Bits: FixedWidthInteger>(
    _ weights: UnsafeBufferPointer<Float>, _ bits: (Float) -> Bits
  ) -> [UInt8] {
    let size = MemoryLayout<Bits>.size
    return [UInt8](unsafeUninitializedCapacity: weights.count * size) { buffer, initialized in
      let bytes = UnsafeMutableRawBufferPointer(buffer)
      for (index, weight) in weights.enumerated() {
        bytes.storeBytes(of: bits(weight).littleEndian, toByteOffset: index * size, as: Bits.self)
      }
      initialized = weights.count * size
    }
  }
}
