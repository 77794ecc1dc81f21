/// Where text comes from, and how much of a sample it fills.
public struct TextSource: Sendable, Equatable {
  /// Paths in which `*`, `?` and `**` (any folders) may stand.
  public var patterns: [String]

  /// The field of a JSONL line that holds the text.
  public var field: String

  /// The share of the sample's tokens, relative to the other sources' weights.
  public var weight: Double

  public init(patterns: [String], field: String = "text", weight: Double = 1) {
    self.patterns = patterns
    self.field = field
    self.weight = weight
  }
}
