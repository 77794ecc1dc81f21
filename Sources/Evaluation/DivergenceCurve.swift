import Foundation

/// What a method's KL is at any number of bytes between those that it was measured at: straight lines between its
/// points over the logarithm of KL, which is nearly straight for every method.
///
///     let chess = DivergenceCurve([(bytes: 432e6, kl: 0.043), (bytes: 384e6, kl: 0.17)])
///     chess.kl(at: 410e6)  // 0.082
///
/// It does not guess beyond the ends.
public struct DivergenceCurve: Sendable {
  private let points: [(bytes: Double, logKL: Double)]

  /// - Parameter points: In any order; those whose KL is not above 0 have no logarithm and are left out.
  public init(_ points: [(bytes: Double, kl: Double)]) {
    self.points = points.filter { $0.kl > 0 && $0.kl.isFinite }.map { ($0.bytes, log($0.kl)) }
      .sorted { $0.bytes < $1.bytes }
  }

  /// Through those points alone that no other beats in both: of models that are no one method's, so that more bytes
  /// may well come with more KL.
  public init(frontierOf points: [(bytes: Double, kl: Double)]) {
    var best = Double.infinity
    let byBytes = points.sorted { ($0.bytes, $0.kl) < ($1.bytes, $1.kl) }
    self.init(
      byBytes.filter { point in
        defer { best = min(best, point.kl) }
        return point.kl < best
      })
  }

  /// `nil` where no two points enclose `bytes`. Complexity: O(points).
  public func kl(at bytes: Double) -> Double? {
    guard let above = points.firstIndex(where: { $0.bytes >= bytes }) else { return nil }
    let end = points[above]
    guard end.bytes > bytes else { return exp(end.logKL) }
    guard above > 0 else { return nil }
    let start = points[above - 1]
    let share = (bytes - start.bytes) / (end.bytes - start.bytes)
    return exp(start.logKL + share * (end.logKL - start.logKL))
  }
}
