import Evaluation
import Reports

/// How much was read until it was enough, and why no more.
public struct ConfidentCollectionReport: Sendable, Equatable, Codable {
  public enum Verdict: String, Sendable, Codable {
    /// No layer's shares have a standard error above the limit at any place, nor have more than half of its thresholds.
    case confident
    /// All of the sample was read before that.
    case sampleExhausted = "sample_exhausted"
  }

  /// What was known after reading so much.
  public struct Round: Sendable, Equatable, Codable {
    public var tokens: Int
    /// What the limit holds for.
    public var largestShareStderr: Double
    public var largestThresholdStderr: Double
    public var places: [ConfidenceReport.Place]
  }

  public var verdict: Verdict
  public var limit: Double
  public var tokens: Int
  /// In the order of reading; the last one decided.
  public var rounds: [Round]

  init(_ reports: [ConfidenceReport], limit: Double) {
    self.limit = limit
    rounds = reports.map {
      Round(
        tokens: $0.tokens, largestShareStderr: $0.largestShareStderr,
        largestThresholdStderr: $0.largestThresholdStderr, places: $0.places)
    }
    verdict = reports.last?.isWithin(limit) == true ? .confident : .sampleExhausted
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

  /// A row a round, with the standard errors of the worst layer.
  public var table: TextTable {
    var table = TextTable(["tokens", "± shares", "± thresholds"])
    for round in rounds {
      table.add(
        ["\(round.tokens)"]
          + [round.largestShareStderr, round.largestThresholdStderr].map { Format.fixed($0 * 100, 2) + "%" })
    }
    return table
  }
}
