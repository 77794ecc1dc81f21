/// Sums of floating-point numbers that do not depend on the order of adding.
///
/// Each number is rounded once to a multiple of 2⁻⁴⁰ and added as a 128-bit integer, so that
/// addition is associative: shards merge to the same bits, however the tokens were cut. A sum may
/// reach 2⁶⁵.
///
/// In files a sum is two float64: its nearest one, and the exact rest, which is zero for sums below
/// 2¹³ and left out where all rests are.
public struct ExactSums: Sendable, Equatable {
  /// What one unit is worth is 2 to this.
  public static let quantumExponent = -40
  static let unitsPerOne = 0x1p40
  static let quantum = 0x1p-40
  /// Units that a sum may not exceed: what two float64 hold exactly.
  static let limit = Int128(1) << 105

  var units: [Int128]

  /// `count` zeros.
  public init(count: Int) { units = [Int128](repeating: 0, count: count) }

  public var count: Int { units.count }

  /// The sums, rounded to float64.
  public var values: [Double] { units.map { Self.nearest($0) * Self.quantum } }

  /// What rounding to `values` left out, exactly.
  public var residuals: [Double] {
    units.map { $0.magnitude <= 1 << 53 ? 0 : Double($0 - Int128(Double($0))) * Self.quantum }
  }

  /// Whether `values` and `residuals` hold the sums exactly.
  var isStorable: Bool { units.allSatisfy { $0.magnitude <= Self.limit.magnitude } }

  /// Adds element by element. Complexity: O(`count`).
  public static func += (sums: inout ExactSums, other: ExactSums) {
    precondition(sums.count == other.count)
    for i in sums.units.indices { sums.units[i] &+= other.units[i] }
  }

  /// Takes away what was added, exactly. Complexity: O(`count`).
  public static func -= (sums: inout ExactSums, part: ExactSums) {
    precondition(sums.count == part.count)
    for i in sums.units.indices { sums.units[i] &-= part.units[i] }
  }

  /// The sums whose `values` and `residuals` are given; `nil` where these are no multiples of the
  /// quantum, or too large.
  init?(values: [Double], residuals: [Double]?) {
    var units: [Int128] = []
    units.reserveCapacity(values.count)
    for (i, value) in values.enumerated() {
      guard let high = Self.exactUnits(of: value), let low = Self.exactUnits(of: residuals?[i] ?? 0),
        (high + low).magnitude <= Self.limit.magnitude
      else { return nil }
      units.append(high + low)
    }
    self.units = units
  }

  private static func exactUnits(of value: Double) -> Int128? {
    let scaled = value * unitsPerOne
    guard scaled.magnitude <= 0x1p105 else { return nil }  // NaN fails, too
    // The library converts to 128 bits by generic code, far slower; few sums need it.
    return scaled.magnitude < 0x1p63 ? Int64(exactly: scaled).map { Int128($0) } : Int128(exactly: scaled)
  }

  private static func nearest(_ units: Int128) -> Double {
    let low = Int64(truncatingIfNeeded: units)
    return Int128(low) == units ? Double(low) : Double(units)
  }

  /// `x` in units, to the nearest and of two to the even, as the kernels round; `nil` where it is not
  /// finite or beyond every real activation.
  static func units(of x: Double) -> Int128? {
    x.magnitude < 0x1p60 ? Int128((x * unitsPerOne).rounded(.toNearestOrEven)) : nil
  }
}
