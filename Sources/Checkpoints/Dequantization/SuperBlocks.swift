/// ggml's K-quants: super-blocks of 256 weights, cut into groups that each have a small integer
/// scale (and minimum), which the super-block's binary16 `d` (and `dmin`) multiplies.
// Functions bear the names of the format.
// swift-format-ignore: AlwaysUseLowerCamelCase
enum SuperBlocks {
  /// `(d · scale) · q − dmin · minimum`: 16 bytes of a scale (low nibble) and a minimum each, 64 of bit pairs, d, dmin.
  @inline(__always)
  static func decodeQ2_K(_ block: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let d = block.half(at: 80)
    let dmin = block.half(at: 82)
    for group in 0..<16 {
      let packed = block.byte(at: group)
      let q = bitPairs(block + 16, group)
      target.store(SIMD16<Float>(q) * (d * Float(packed & 15)) - dmin * Float(packed >> 4), at: 16 * group)
    }
  }

  /// `(d · (scale − 32)) · (q − 4)`: 32 bytes of third bits, 64 of bit pairs, 12 of scales, d.
  @inline(__always)
  static func decodeQ3_K(_ block: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let d = block.half(at: 108)
    for group in 0..<16 {
      // Bit g / 2 of byte i belongs to weight i of the groups g, g even for the first 16 bytes.
      let third = (block.bytes16(at: 16 * (group % 2)) &>> UInt8(truncatingIfNeeded: group / 2)) & 1
      let q = bitPairs(block + 32, group) | third &<< 2
      let scale = d * Float(Int(sixBitScale(block + 96, group)) - 32)
      target.store((SIMD16<Float>(q) - 4) * scale, at: 16 * group)
    }
  }

  /// `(d · scale) · q − dmin · minimum`: d, dmin, 12 bytes of scales, 128 bytes of nibbles.
  @inline(__always)
  static func decodeQ4_K(_ block: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    decodeFourOrFiveBits(block, nibbles: block + 16, target) { _, _ in SIMD16() }
  }

  /// As Q4_K, with a fifth bit a weight: d, dmin, 12 bytes of scales, 32 bytes of fifth bits, 128 of nibbles.
  @inline(__always)
  static func decodeQ5_K(_ block: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    decodeFourOrFiveBits(block, nibbles: block + 48, target) { group, half in
      // Bit g of byte i belongs to weight i of group g.
      ((block.bytes16(at: 16 + 16 * half) &>> UInt8(truncatingIfNeeded: group)) & 1) &<< 4
    }
  }

  /// `(d · scale) · (q − 32)`: 128 bytes of low nibbles, 64 of upper bit pairs, 16 signed scales, d.
  @inline(__always)
  static func decodeQ6_K(_ block: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    let d = block.half(at: 208)
    for group in 0..<16 {
      // Each half of the block (8 groups) has 64 bytes of nibbles, all low ones first, and 32 of pairs.
      let (half, part) = (group / 8, group % 8)
      let nibbles = block.bytes16(at: 64 * half + 16 * (part % 4)) &>> (part < 4 ? 0 : 4)
      let pairs = block.bytes16(at: 128 + 32 * half + 16 * (part % 2)) &>> UInt8(truncatingIfNeeded: part / 2 * 2)
      let q = (nibbles & 15) | ((pairs & 3) &<< 4)
      let scale = d * Float(Int8(bitPattern: block.byte(at: 192 + group)))
      target.store((SIMD16<Float>(q) - 32) * scale, at: 16 * group)
    }
  }

  /// Eight groups of 32: two groups share 32 bytes, the first in their low nibbles.
  @inline(__always)
  private static func decodeFourOrFiveBits(
    _ block: UnsafeRawPointer, nibbles: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>,
    fifthBits: (_ group: Int, _ half: Int) -> SIMD16<UInt8>
  ) {
    let d = block.half(at: 0)
    let dmin = block.half(at: 2)
    for group in 0..<8 {
      let (scale, minimum) = scaleAndMinimum(block + 4, group)
      let groupScale = d * scale
      let groupMinimum = dmin * minimum
      for half in 0..<2 {
        let shared = nibbles.bytes16(at: 32 * (group / 2) + 16 * half)
        let q = ((shared &>> (group % 2 == 0 ? 0 : 4)) & 15) | fifthBits(group, half)
        target.store(SIMD16<Float>(q) * groupScale - groupMinimum, at: 32 * group + 16 * half)
      }
    }
  }

  /// Eight scales and eight minima of six bits in twelve bytes: those of groups 0–3 in the low bits of
  /// bytes 0–3 and 4–7; those of groups 4–7 in the nibbles of bytes 8–11, with their upper two bits in
  /// the upper bits of bytes 0–7.
  @inline(__always)
  private static func scaleAndMinimum(_ packed: UnsafeRawPointer, _ group: Int) -> (Float, Float) {
    guard group >= 4 else { return (Float(packed.byte(at: group) & 63), Float(packed.byte(at: group + 4) & 63)) }
    let nibbles = packed.byte(at: group + 4)
    let scale = (nibbles & 15) | ((packed.byte(at: group - 4) >> 6) << 4)
    let minimum = (nibbles >> 4) | ((packed.byte(at: group) >> 6) << 4)
    return (Float(scale), Float(minimum))
  }

  /// The bit pairs of a group of 16: each half of the block (8 groups) has 32 bytes, which two groups share in turn.
  @inline(__always)
  private static func bitPairs(_ packed: UnsafeRawPointer, _ group: Int) -> SIMD16<UInt8> {
    let shared = packed.bytes16(at: 32 * (group / 8) + 16 * (group % 2))
    return (shared &>> UInt8(truncatingIfNeeded: group % 8 / 2 * 2)) & 3
  }

  /// Sixteen scales of six bits in twelve bytes: low nibbles of groups 0–7 and 8–15 in bytes 0–7, upper bit pairs in
  /// bytes 8–11.
  @inline(__always)
  private static func sixBitScale(_ packed: UnsafeRawPointer, _ group: Int) -> UInt8 {
    let low = packed.byte(at: group % 8) >> (group < 8 ? 0 : 4) & 15
    let high = packed.byte(at: 8 + group % 4) >> UInt8(group / 4 * 2) & 3
    return low | high << 4
  }
}
