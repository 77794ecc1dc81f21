/// ggml's blocks of 32 weights. `q` is an unsigned integer of a few bits, `d` the block's scale and `m`
/// its minimum, both binary16; the first half of a block lies in low nibbles, the second in high ones.
// Functions bear the names of the format.
// swift-format-ignore: AlwaysUseLowerCamelCase
enum SmallBlocks {
  /// `d · (q − 8)`: d, 16 bytes of nibbles.
  @inline(__always)
  static func decodeQ4_0(_ block: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let d = block.half(at: 0)
    let q = block.bytes16(at: 2)
    target.store((SIMD16<Float>(q & 15) - 8) * d, at: 0)
    target.store((SIMD16<Float>(q &>> 4) - 8) * d, at: 16)
  }

  /// `d · q + m`: d, m, 16 bytes of nibbles.
  @inline(__always)
  static func decodeQ4_1(_ block: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let d = block.half(at: 0)
    let m = block.half(at: 2)
    let q = block.bytes16(at: 4)
    target.store(SIMD16<Float>(q & 15) * d + m, at: 0)
    target.store(SIMD16<Float>(q &>> 4) * d + m, at: 16)
  }

  /// `d · (q − 16)`: d, 32 fifth bits, 16 bytes of nibbles.
  @inline(__always)
  static func decodeQ5_0(_ block: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let d = block.half(at: 0)
    let (low, high) = fiveBits(fifth: block + 2, nibbles: block + 6)
    target.store((SIMD16<Float>(low) - 16) * d, at: 0)
    target.store((SIMD16<Float>(high) - 16) * d, at: 16)
  }

  /// `d · q + m`: d, m, 32 fifth bits, 16 bytes of nibbles.
  @inline(__always)
  static func decodeQ5_1(_ block: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let d = block.half(at: 0)
    let m = block.half(at: 2)
    let (low, high) = fiveBits(fifth: block + 4, nibbles: block + 8)
    target.store(SIMD16<Float>(low) * d + m, at: 0)
    target.store(SIMD16<Float>(high) * d + m, at: 16)
  }

  /// `d · level[q]`: d, 16 bytes of nibbles. The sixteen levels lie closer together near 0, where most weights are.
  @inline(__always)
  static func decodeIQ4_NL(_ block: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let levels = SIMD16<Int8>(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)
    let d = block.half(at: 0)
    for i in 0..<16 {
      let q = block.byte(at: 2 + i)
      target[i] = d * Float(levels[Int(q & 15)])
      target[16 + i] = d * Float(levels[Int(q >> 4)])
    }
  }

  /// `d · q`: d, 32 signed bytes.
  @inline(__always)
  static func decodeQ8_0(_ block: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let d = block.half(at: 0)
    for half in 0..<2 {
      let q = block.loadUnaligned(fromByteOffset: 2 + 16 * half, as: SIMD16<Int8>.self)
      target.store(SIMD16<Float>(q) * d, at: 16 * half)
    }
  }

  /// Bit `i` of the 32 at `fifth` is the highest of weight `i`.
  @inline(__always)
  private static func fiveBits(
    fifth: UnsafeRawPointer, nibbles: UnsafeRawPointer
  ) -> (low: SIMD16<UInt8>, high: SIMD16<UInt8>) {
    let q = nibbles.bytes16(at: 0)
    return ((q & 15) | spread(fifth), (q &>> 4) | spread(fifth + 2))
  }

  /// Sixteen bits as sixteen bytes that are 0 or 16.
  @inline(__always)
  private static func spread(_ bits: UnsafeRawPointer) -> SIMD16<UInt8> {
    let first = SIMD8<UInt8>(repeating: bits.byte(at: 0))
    let second = SIMD8<UInt8>(repeating: bits.byte(at: 1))
    let positions = SIMD16<UInt8>(0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7)
    return ((SIMD16(lowHalf: first, highHalf: second) &>> positions) & 1) &<< 4
  }
}
