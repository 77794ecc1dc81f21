import Checkpoints

/// How a GGUF file's matrices are encoded. Norms and biases are float32 always.
// swift-format-ignore: AlwaysUseLowerCamelCase
public enum GGUFWeights: String, Sendable, CaseIterable, Codable {
  case f32, f16
  /// Blocks of 32 signed bytes with a binary16 scale.
  case q8_0

  var encoding: WeightEncoding {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .q8_0: .q8_0
    }
  }

  /// llama.cpp's number for files of mostly this.
  var fileType: Int {
    switch self {
    case .f32: 0
    case .f16: 1
    case .q8_0: 7
    }
  }

  /// Weights as they lie in the file; of `q8_0` as ggml's reference quantises them, half steps away from zero.
  ///
  /// - Precondition: There are whole blocks.
  func bytes(of weights: UnsafeBufferPointer<Float>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(weights.count / encoding.weightsPerBlock * encoding.bytesPerBlock)
    switch self {
    case .f32: for weight in weights { bytes.append(littleEndian: weight.bitPattern) }
    case .f16: for weight in weights { bytes.append(littleEndian: FloatBits.f16(from: weight)) }
    case .q8_0:
      for start in stride(from: 0, to: weights.count, by: encoding.weightsPerBlock) {
        let block = weights[start..<start + encoding.weightsPerBlock]
        let scale = (block.lazy.map(\.magnitude).max() ?? 0) / 127
        let inverse = scale == 0 ? 0 : 1 / scale
        bytes.append(littleEndian: FloatBits.f16(from: scale))
        for weight in block {
          bytes.append(UInt8(bitPattern: Int8((weight * inverse).rounded(.toNearestOrAwayFromZero))))
        }
      }
    }
    return bytes
  }
}
