import Evaluation
import ThresholdSolver

/// What `gambit compare` leaves behind as `compare.json`: `schemas/comparison.schema.json` describes it.
public struct Comparison: Sendable, Codable, Equatable {
  public var model: String
  public var modelSha256: String
  public var text: RunReport.Text
  /// Digest of the statistics that thresholds were solved from.
  public var statisticsSha256: String?
  /// Which curve `baseline_kl` is of.
  public var baseline: String?
  /// The dense model first, then in the file's order.
  public var rows: [ComparisonRow]
  public var tool = RunReport.Tool()
}

extension Comparison {
  /// Fills in what the baseline's KL is at each row's bytes. Methods are compared among rows of the same weights: with
  /// others they would be compared in how weights are rounded.
  mutating func compareWithBaseline() {
    guard let baseline else { return }
    for index in rows.indices where rows[index].kl != nil && rows[index].curve != baseline {
      let points = rows.filter { row in
        row.curve == baseline && (row.kind == .model || row.roundedWeights == rows[index].roundedWeights)
      }.map { (bytes: $0.bytesPerToken, kl: $0.kl ?? 0) }
      let curve = baseline == ComparisonRow.models ? DivergenceCurve(frontierOf: points) : DivergenceCurve(points)
      rows[index].baselineKl = curve.kl(at: rows[index].bytesPerToken)
    }
  }

  /// Fills in how much better or worse than the dense model, the first row, the others answer the tasks.
  mutating func compareWithDense() {
    guard let dense = rows.first?.tasks else { return }
    for index in rows.indices.dropFirst() {
      guard let difference = rows[index].tasks?.difference(from: dense) else { continue }
      rows[index].tasks?.difference = difference.mean
      rows[index].tasks?.differenceStderr = difference.standardError
    }
  }

  /// For each row the figures that no comparable row beats: those asked for the same sparsity, with the same weights.
  func isBest(_ index: Int, _ figure: (ComparisonRow) -> Double?) -> Bool {
    let row = rows[index]
    guard row.kind == .method, let own = figure(row) else { return false }
    let peers = rows.filter {
      $0.kind == .method && $0.weights == row.weights && $0.request?.sparsity == row.request?.sparsity
    }
    return peers.count > 1 && peers.allSatisfy { figure($0).map { $0 >= own } ?? true }
  }
}
