import Histograms

/// The bins of every histogram of `|x|`: eight an octave from 2⁻¹⁶ to 2¹⁰, one below and one above.
///
/// The eight bins of an octave are equally wide, so that a bin is read off the float's exponent and
/// its first three mantissa bits: one shift, exact edges, and no two machines that disagree. A bin
/// is between 6 and 12.5% wide.
public enum LogarithmicBins {
  static let subdivisionBits = 3
  static let minimumExponent = -16
  static let maximumExponent = 10

  /// Bins in all: 0 holds `[0, 2⁻¹⁶)`, the last one `[2¹⁰, ∞)`.
  public static let count = (maximumExponent - minimumExponent) << subdivisionBits + 2

  private static let shift = Float.significandBitCount - subdivisionBits
  private static let firstKey = Int32((127 + minimumExponent) << subdivisionBits) - 1

  /// The same for the kernels.
  static let scheme = BinScheme(shift: shift, first: Int(firstKey), count: count)

  /// The bin of `|x|`. Infinities and NaN fall into the last one. Complexity: O(1), branch-free.
  @inline(__always)
  package static func bin(of x: Float) -> Int {
    let key = Int32(bitPattern: (x.bitPattern & 0x7fff_ffff) >> UInt32(shift)) &- firstKey
    return Int(min(max(key, 0), Int32(count - 1)))
  }

  /// `count + 1` ascending edges; bin `b` holds `edges[b] ≤ |x| < edges[b + 1]`. The last is infinite.
  public static let edges: [Double] = {
    var edges: [Double] = [0]
    for exponent in minimumExponent..<maximumExponent {
      let octave = Double(sign: .plus, exponent: exponent, significand: 1)
      for step in 0..<(1 << subdivisionBits) {
        edges.append(octave * (1 + Double(step) / Double(1 << subdivisionBits)))
      }
    }
    edges.append(Double(sign: .plus, exponent: maximumExponent, significand: 1))
    edges.append(.infinity)
    return edges
  }()
}
