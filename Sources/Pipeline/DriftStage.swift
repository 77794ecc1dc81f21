import ActivationStatistics
import Evaluation
import Files
import Reports
import SparseBundle
import ThresholdSolver
import Tokenizers

/// a text and a bundle → whether the bundle still fits it
public struct DriftStage: Sendable {
  public var text: EvaluateStage
  /// The statistics that the bundle's thresholds were solved from: they know what each layer dropped.
  public var statistics: String?
  public var tolerance: Double

  public init(text: EvaluateStage, statistics: String? = nil, tolerance: Double) {
    self.text = text
    self.statistics = statistics
    self.tolerance = tolerance
  }

  /// - Throws: ``PipelineError`` where the text is too short, or the statistics are not those of the bundle.
  public func run(_ source: MeasuredSource, _ console: Console) throws -> DriftReport {
    guard let thresholds = source.thresholds else {
      throw PipelineError.badSetting(
        "bundle", reason: "'\(source.name)' skips nothing: give a bundle, or thresholds beside the model")
    }
    let layers = try statistics.map { try calibration($0, thresholds) }
    let windows = try text.windows(source.tokenizer, model: source.name)
    let realised = try text.shares(source.weights, windows, thresholds, model: source.name, console)
    let drift = Drift(
      realised: realised, calibration: thresholds.realised, layers: layers, tolerance: tolerance)
    return DriftReport(
      drift, tokens: windows.windows.joined().count, tolerance: tolerance,
      layersKnown: layers != nil)
  }

  /// What the thresholds drop of each layer of the calibration text.
  private func calibration(_ path: String, _ thresholds: Thresholds) throws -> [Thresholds.Shares] {
    let file = try StatisticsFile(path: path)
    guard try sha256(ofFile: path) == thresholds.statisticsHash else {
      throw PipelineError.badSetting(
        "statistics", reason: "the thresholds were not solved from '\(path)': give the file that they were solved from")
    }
    return try thresholds.layers.enumerated().map { index, layer in
      layer.sharesDropped(try file.layer(index), gateActivation: file.description.gateActivation)
    }
  }
}
