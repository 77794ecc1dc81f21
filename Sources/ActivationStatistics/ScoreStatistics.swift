/// What one pass over a text tells of weights in two planes: how well a channel's score `ŝ = |ĝ·û|`, which the high planes
/// of both its rows give, foretells its product `g·u`. By channel and bin of the score, `[channels, bins]`.
public struct ScoreStatistics: Sendable, Equatable {
  /// Tokens.
  public internal(set) var count: [Int64]
  /// Σ (g·u)²: what is lost where a channel is dropped.
  public internal(set) var energy: ExactSums
  /// Σ (g·u − ĝ·û)²: what is lost where it is left at half its bits.
  public internal(set) var error: ExactSums

  /// Nothing counted.
  public init(channels: Int) {
    let cells = channels * LogarithmicBins.count
    count = [Int64](repeating: 0, count: cells)
    energy = ExactSums(count: cells)
    error = ExactSums(count: cells)
  }

  static func += (total: inout Self, other: Self) {
    total.count.add(other.count)
    total.energy += other.energy
    total.error += other.error
  }

  static func -= (total: inout Self, part: Self) {
    total.count.subtract(part.count)
    total.energy -= part.energy
    total.error -= part.error
  }
}
