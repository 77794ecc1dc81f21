import Checkpoints
import LinearAlgebra

/// How a bundle stores its projections and embeddings. Norms and biases are always float32.
public enum WeightType: String, Sendable, Codable, CaseIterable {
  case f32
  case f16
  case bf16

  var safetensorsType: SafetensorsType {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    }
  }

  /// Values as little-endian bytes, rounded to the nearest; `nil` where one is beyond the type's range.
  func encode(_ values: UnsafeBufferPointer<Float>) -> [UInt8]? {
    switch self {
    case .f32: return littleEndianBytes(values.lazy.map(\.bitPattern))
    case .bf16: return littleEndianBytes(values.lazy.map(FloatBits.bf16))
    case .f16:
      let bits = values.map(FloatBits.f16)
      // An exponent of all ones: infinite or not a number.
      guard !bits.contains(where: { $0 & 0x7C00 == 0x7C00 }) else { return nil }
      return littleEndianBytes(bits)
    }
  }

  /// The values of little-endian bytes.
  ///
  /// - Precondition: `bytes.count` is `values.count` times the type's size.
  func decode(_ bytes: [UInt8], into values: UnsafeMutableBufferPointer<Float>) {
    precondition(bytes.count == values.count * safetensorsType.size)
    bytes.withUnsafeBytes { bytes in
      for i in values.indices {
        switch self {
        case .f32:
          values[i] = Float(
            bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self)))
        case .f16:
          values[i] = FloatBits.float(
            fromF16: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)))
        case .bf16:
          values[i] = FloatBits.float(
            fromBF16: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)))
        }
      }
    }
  }

  /// The value that is stored for `x`.
  func rounded(_ x: Float) -> Float {
    switch self {
    case .f32: x
    case .f16: FloatBits.float(fromF16: FloatBits.f16(from: x))
    case .bf16: FloatBits.float(fromBF16: FloatBits.bf16(from: x))
    }
  }

  private func littleEndianBytes<Bits: FixedWidthInteger>(_ bits: some Collection<Bits>) -> [UInt8] {
    bits.map(\.littleEndian).withUnsafeBytes { Array($0) }
  }
}
