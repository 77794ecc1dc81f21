/// The two 16-bit float formats: widened exactly, narrowed to the nearest.
///
/// `Float16` is not used: it does not exist on Intel Macs, and without F16C each conversion is a call.
package enum FloatBits {
  /// IEEE 754 binary16. Exact for all 65,536 patterns, subnormals, infinities and NaNs included.
  @inline(__always)
  package static func float(fromF16 bits: UInt16) -> Float {
    var magnitude = UInt32(bits & 0x7FFF) << 13
    // Exponent 31 means infinity or NaN: give it float32's largest exponent after scaling too.
    let isFinite = magnitude < 0x0F80_0000
    magnitude |= isFinite ? 0 : 0x7F80_0000
    // The exponents' biases differ by 112; the product also normalises subnormals.
    let value = Float(bitPattern: magnitude) * (isFinite ? 0x1p112 : 1)
    return Float(bitPattern: value.bitPattern | UInt32(bits & 0x8000) << 16)
  }

  /// bfloat16: the upper half of a float32.
  @inline(__always)
  package static func float(fromBF16 bits: UInt16) -> Float {
    Float(bitPattern: UInt32(bits) << 16)
  }

  /// The nearest binary16, ties to even; infinite from 65,520 on.
  package static func f16(from x: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: x.bitPattern >> 16) & 0x8000
    let magnitude = x.bitPattern & 0x7FFF_FFFF
    if magnitude > 0x7F80_0000 { return sign | 0x7E00 }
    if magnitude >= 0x4780_0000 { return sign | 0x7C00 }
    if magnitude < 0x3880_0000 {
      // Below 2⁻¹⁴ units are 2⁻²⁴, which is what float32 rounds to between 0.5 and 1.
      let rounded = (Float(bitPattern: magnitude) + 0.5).bitPattern - Float(0.5).bitPattern
      return sign | UInt16(rounded)
    }
    let odd = magnitude >> 13 & 1
    return sign | UInt16((magnitude - 0x3800_0000 + 0xFFF + odd) >> 13)
  }

  /// The nearest bfloat16, ties to even.
  package static func bf16(from x: Float) -> UInt16 {
    let bits = x.bitPattern
    if x.isNaN { return UInt16(bits >> 16) | 0x40 }
    return UInt16((bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
  }
}

extension UnsafeRawPointer {
  /// The binary16 at `offset` bytes: a block's scale or minimum.
  @inline(__always)
  func half(at offset: Int) -> Float {
    FloatBits.float(fromF16: UInt16(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
  }

  @inline(__always)
  func byte(at offset: Int) -> UInt8 { load(fromByteOffset: offset, as: UInt8.self) }

  /// Loading a vector before anything is stored tells the compiler that source and target don't overlap.
  @inline(__always)
  func bytes16(at offset: Int) -> SIMD16<UInt8> { loadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self) }
}

extension UnsafeMutablePointer<Float> {
  @inline(__always)
  func store(_ values: SIMD16<Float>, at index: Int) {
    UnsafeMutableRawPointer(self + index).storeBytes(of: values, as: SIMD16<Float>.self)
  }
}
