import ActivationStatistics
import Checkpoints
import Evaluation
import ThresholdSolver

extension RunReport {
  /// `report.html`: the run's methods as a comparison.
  ///
  /// - Parameters:
  ///   - windows: What was measured on.
  ///   - sparse: Each thresholds with what the model predicts under it.
  ///   - statistics: What the thresholds were solved from.
  func page(
    _ model: Checkpoint, _ windows: TokenWindows, _ dense: Perplexity, _ sparse: [(Thresholds, Perplexity)],
    _ statistics: StatisticsFile
  ) throws -> String {
    let measuredOn = ComparisonRow.MeasuredOn(windows, modelHash: modelSha256)
    let rows =
      [ComparisonCandidate(model, as: .f32, label: "dense", measuredOn).row(dense)]
      + (try sparse.map { try ComparisonCandidate(model, as: .f32, $0, measuredOn).row($1) })
    var comparison = Comparison(
      model: self.model, modelSha256: modelSha256, text: text, baseline: rows.first { $0.kind == .method }?.label,
      rows: rows)
    comparison.compareWithBaseline()
    return comparison.page(try LayerDistributions(statistics, sparse.map(\.0)), notes: outcomes)
  }
}
