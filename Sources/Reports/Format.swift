import Foundation

/// Numbers as people read them.
public enum Format {
  /// With a fixed number of decimals.
  public static func fixed(_ value: Double, _ decimals: Int) -> String { String(format: "%.\(decimals)f", value) }

  /// A share as a percentage with one decimal.
  public static func percent(_ share: Double) -> String { fixed(share * 100, 1) + "%" }

  /// Three significant digits and a prefix: `81.2M`.
  public static func quantity(_ value: Double) -> String {
    let (scaled, prefix) = scale(value)
    return fixed(scaled, scaled < 10 ? 2 : scaled < 100 ? 1 : 0) + prefix
  }

  /// A number of bytes, in powers of ten.
  public static func bytes(_ count: Int) -> String {
    let (scaled, prefix) = scale(Double(count))
    return fixed(scaled, prefix.isEmpty ? 0 : 1) + " " + prefix + "B"
  }

  /// `48 s`, `3 min 20 s` or `2 h 5 min`.
  public static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "–" }
    if seconds < 10 { return fixed(seconds, 1) + " s" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }

  private static func scale(_ value: Double) -> (Double, String) {
    for (limit, prefix) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")] where value.magnitude >= limit {
      return (value / limit, prefix)
    }
    return (value, "")
  }
}
