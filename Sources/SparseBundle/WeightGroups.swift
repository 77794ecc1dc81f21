import Checkpoints

/// The groups of a quantised row: 32 weights next to each other share a scale. The last one may be short.
enum WeightGroups {
  static let size = 32

  static func count(columns: Int) -> Int { (columns + size - 1) / size }

  /// The size of a record that holds `bytes`: the next multiple of a cache line.
  static func recordSize(holding bytes: Int) -> Int {
    (bytes + BundleLayout.alignment - 1) & ~(BundleLayout.alignment - 1)
  }
}

/// The nearest integer to a number between −2²² and 2²², ties to even: adding this leaves no bits for a fraction, and
/// the integer in the low bits. `rounded()` would be a call for each weight.
private let integerBits: Float = 0x1.8p23

/// The nearest integer within bounds: as a number, and its low eight bits.
@inline(__always)
func nearestInteger(_ x: Float, _ low: Float, _ high: Float) -> (value: Float, bits: UInt8) {
  let limited = x < low ? low : (x > high ? high : x)
  let shifted = limited + integerBits
  return (shifted - integerBits, UInt8(truncatingIfNeeded: shifted.bitPattern))
}

/// What no encoder writes into a record.
enum RecordFault: String {
  case padding = "padding that is not zeros"
  case code = "a code below −127"
  case scale = "a scale or minimum that is not finite"
  case planes = "planes of different scales"
  case weight = "a weight that is not finite"
}

extension FloatBits {
  /// Whether a binary16 is neither infinite nor no number: these have an exponent of all ones.
  static func isFinite(f16 bits: UInt16) -> Bool { bits & 0x7C00 != 0x7C00 }
}

extension UnsafeRawBufferPointer {
  func halvesAreFinite(_ range: Range<Int>) -> Bool {
    stride(from: range.lowerBound, to: range.upperBound, by: 2).allSatisfy {
      FloatBits.isFinite(f16: UInt16(littleEndian: loadUnaligned(fromByteOffset: $0, as: UInt16.self)))
    }
  }
}
