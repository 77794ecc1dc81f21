import Checkpoints
import Evaluation
import Reports
import SparseBundle
import ThresholdSolver

/// model and thresholds → bundle
public struct ExportStage: Sendable {
  /// Greatest difference of logits between two ways to compute them that is taken for rounding.
  static let goldenTolerance = 2e-3

  public var type: WeightType
  /// What the loss of rounding weights is measured on.
  public var text: LossText
  public var threads: Int

  public init(type: WeightType, text: LossText = .builtIn, threads: Int) {
    self.type = type
    self.text = text
    self.threads = threads
  }

  /// What an export did to the weights.
  public struct Output: Sendable {
    public var exact: ExactWeights
    /// `nil` for f32, which rounds nothing.
    public var loss: RoundingLoss?
    public var quality: BundleQuality
  }

  /// Writes the bundle's folder, whole or not at all.
  ///
  /// - Parameter others: Thresholds of other budgets than the default.
  @discardableResult
  public func run(
    _ model: Checkpoint, _ thresholds: Thresholds, others: [Thresholds] = [], output: String, _ console: Console
  ) throws -> Output {
    let writer = try BundleWriter(
      model: model, thresholds: thresholds, others: others, type: type, toolVersion: Gambit.version)
    try BundleWriter.checkReplaceable(output)
    let windows = try text.windows(model.tokenizer, model.configuration, model: model.path)
    let loss = type == .f32 ? nil : try measureLoss(model, FactorRows(thresholds), windows, console)
    let quality = try QualityMeasurement(text: text, windows: windows, threads: threads).run(
      RoundedWeights(model.weights, type, writer.ladder.factorRows), beside: model.weights, writer.ladder.all, console,
      name: "export: quality")
    let golden = try console.task("export: golden vectors", total: 1, unit: "") { task in
      try GoldenRecording(model: model, ladder: writer.ladder, type: type, threads: threads)
        .record { task.advance(to: $0) }
    }
    let weights = Double(model.parameterCount)
    let exact = try console.task("export: weights", total: weights, unit: "weights") { task in
      try writer.write(
        to: output, golden: golden[0], others: Array(golden.dropFirst()), tolerance: Self.goldenTolerance,
        quality: quality, loss: loss
      ) {
        task.advance(to: $0 * weights)
      }
    }
    return Output(exact: exact, loss: loss, quality: quality)
  }

  private func measureLoss(
    _ model: Checkpoint, _ factorRows: FactorRows?, _ windows: [[Int32]], _ console: Console
  ) throws -> RoundingLoss {
    let name = try text.name()
    let tokens = Double(windows.reduce(0) { $0 + $1.count })
    return try console.task("export: loss of \(type.rawValue)", total: tokens, unit: "tokens") { task in
      try RoundingLossMeasurement(model.weights, type, factorRows, threads: threads).run(windows, text: name) {
        task.advance(to: $0 * tokens)
      }
    }
  }
}
