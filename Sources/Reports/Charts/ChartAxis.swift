import Foundation

/// One axis of a chart: what it shows, how it is spaced and how its numbers are written.
public struct ChartAxis: Sendable {
  public enum Scale: Sendable {
    case linear
    /// Values that are not above 0 are left out.
    case logarithmic
  }

  /// How numbers are written at ticks and points.
  public enum Unit: Sendable {
    case number
    /// Of shares from 0 to 1.
    case percent
    /// In MB, powers of ten.
    case megabytes
  }

  public var label: String
  public var scale: Scale
  public var unit: Unit
  /// Values that the axis shows in any case.
  public var including: [Double]

  public init(_ label: String, _ scale: Scale = .linear, unit: Unit = .number, including: [Double] = []) {
    self.label = label
    self.scale = scale
    self.unit = unit
    self.including = including
  }

  func canShow(_ value: Double) -> Bool { value.isFinite && (scale == .linear || value > 0) }

  /// Where the axis measures `value`: linear in what is drawn.
  func position(_ value: Double) -> Double { scale == .linear ? value : log10(value) }

  /// At least two steps around all values.
  ///
  /// - Returns: The ticks, ascending; the axis reaches from the first to the last.
  func ticks(_ values: [Double]) -> [Double] {
    let shown = (values + including).filter(canShow)
    let (low, high) = (shown.min() ?? 1, shown.max() ?? 10)
    return scale == .linear ? Self.linearTicks(low, high) : Self.logarithmicTicks(low, high)
  }

  func text(_ value: Double) -> String {
    switch unit {
    case .number: Self.plain(value)
    case .percent: Self.plain((value * 100 * 1e6).rounded() / 1e6) + "%"
    case .megabytes: Self.plain((value / 1e6 * 1e3).rounded() / 1e3) + " MB"
    }
  }

  /// About five round steps.
  private static func linearTicks(_ low: Double, _ high: Double) -> [Double] {
    let span = high > low ? high - low : max(high.magnitude, 1)
    let rough = span / 5
    let decade = pow(10, log10(rough).rounded(.down))
    let step = [1, 2, 2.5, 5, 10].map { $0 * decade }.first { $0 >= rough * 0.999 } ?? rough
    let first = (low / step + 1e-9).rounded(.down)
    let last = max((high / step - 1e-9).rounded(.up), first + 1)
    return stride(from: first, through: last, by: 1).map { $0 * step }
  }

  /// Powers of ten over many of them; 1, 2 and 5 in each over few.
  private static func logarithmicTicks(_ low: Double, _ high: Double) -> [Double] {
    let decades = log10(high / low)
    let steps: [Double] = decades > 4 ? [1] : decades > 1.5 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8]
    let range = Int(log10(low).rounded(.down)) - 1...Int(log10(high).rounded(.up)) + 1
    let all = range.flatMap { exponent in steps.map { $0 * pow(10, Double(exponent)) } }
    let first = all.lastIndex { $0 <= low * 1.000001 } ?? 0
    let last = max(all.firstIndex { $0 >= high * 0.999999 } ?? all.count - 1, first + 1)
    let ticks = Array(all[first...min(last, all.count - 1)])
    guard ticks.count > 12 else { return ticks }
    // The ends stay, since the axis reaches from one to the other.
    let stride = (ticks.count + 8) / 9
    return ticks.indices.filter { $0 % stride == 0 || $0 == ticks.count - 1 }.map { ticks[$0] }
  }

  /// Up to four digits that mean something.
  private static func plain(_ value: Double) -> String {
    let magnitude = value.magnitude
    guard magnitude != 0, magnitude < 1e-3 || magnitude >= 1e6 else { return String(format: "%.4g", value) }
    let exponent = (log10(magnitude) + 1e-9).rounded(.down)
    return String(format: "%.2ge%.0f", value / pow(10, exponent), exponent)
  }
}
