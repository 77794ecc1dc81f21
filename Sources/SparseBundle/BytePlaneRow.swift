import Checkpoints

/// A row of binary16 weights in two planes, a byte a weight in each: sign, exponent and two bits of the fraction in the
/// high one, the fraction's other eight in the low one.
///
/// The high plane alone stands for the middle of the 256 weights that share it, those with a low byte of 128. Both together
/// are the unsplit weights, bit for bit.
enum BytePlaneRow {
  /// The low byte that a high one stands for alone.
  private static let middle: UInt16 = 128
  /// Of the high byte: an exponent of all ones, which is infinite or no number.
  private static let infinity: UInt8 = 0x7C

  /// One plane of a row, rounded to the nearest.
  static func encode(
    _ plane: WeightPlane, _ row: UnsafePointer<Float>, count: Int, into bytes: UnsafeMutableRawPointer
  ) throws(UnstorableWeights) {
    let shift: UInt16 = plane == .high ? 8 : 0
    var infinities = 0
    for i in 0..<count {
      let half = FloatBits.f16(from: row[i])
      infinities &+= FloatBits.isFinite(f16: half) ? 0 : 1
      bytes.storeBytes(of: UInt8(truncatingIfNeeded: half >> shift), toByteOffset: i, as: UInt8.self)
    }
    guard infinities == 0 else { throw .outOfRange }
  }

  /// What a high plane stands for alone.
  static func decode(high bytes: UnsafeRawPointer, into row: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count {
      row[i] = FloatBits.float(fromF16: UInt16(bytes.load(fromByteOffset: i, as: UInt8.self)) << 8 | middle)
    }
  }

  /// Makes the weights of a row that holds what the high plane stands for.
  static func complete(_ row: UnsafeMutablePointer<Float>, low bytes: UnsafeRawPointer, count: Int) {
    for i in 0..<count {
      // Those are binary16 numbers, so that nothing is rounded.
      let high = FloatBits.f16(from: row[i]) & 0xFF00
      row[i] = FloatBits.float(fromF16: high | UInt16(bytes.load(fromByteOffset: i, as: UInt8.self)))
    }
  }

  /// What is wrong with a high plane that no encoder writes; every low one is possible.
  static func fault(high: UnsafeRawBufferPointer) -> RecordFault? {
    high.allSatisfy { $0 & infinity != infinity } ? nil : .weight
  }
}
