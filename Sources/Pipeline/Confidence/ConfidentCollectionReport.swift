import Evaluation
import Reports

/// How much was read until it was enough, and why no more.
public struct ConfidentCollectionReport: Sendable, Equatable, Codable {
  public enum Verdict: String, Sendable, Codable {
    /// No layer's share has a standard error above the limit.
    case confident
    /// All of the sample was read before that.
    case sampleExhausted = "sample_exhausted"
  }

  /// What was known after reading so much.
  public struct Round: Sendable, Equatable, Codable {
    public var tokens: Int
    /// What the limit holds for.
    public var largestShareStderr: Double
    public var places: [ConfidenceReport.Place]
  }

  public var verdict: Verdict
  public var limit: Double
  public var tokens: Int
  /// In the order of reading; the last one decided.
  public var rounds: [Round]

  init(_ reports: [ConfidenceReport], limit: Double) {
    self.limit = limit
    rounds = reports.map { Round(tokens: $0.tokens, largestShareStderr: $0.largestShareStderr, places: $0.places) }
    let isEnough = rounds.last.map { $0.largestShareStderr <= limit } ?? false
    verdict = isEnough ? .confident : .sampleExhausted
    tokens = rounds.last?.tokens ?? 0
  }

  /// A sentence for a terminal.
  public var reason: String {
    let limit = Format.fixed(limit * 100, 2) + "%"
    return switch verdict {
    case .confident: "\(tokens) tokens are enough for \(limit)"
    case .sampleExhausted: "all \(tokens) tokens of the sample are not enough for \(limit): draw a larger one"
    }
  }

  /// A row a round.
  public var table: TextTable {
    var table = TextTable(["tokens", "± of shares, the worst layer's"])
    for round in rounds { table.add(["\(round.tokens)", Format.fixed(round.largestShareStderr * 100, 2) + "%"]) }
    return table
  }
}
