import Checkpoints
import Reports
import SparseBundle
import ThresholdSolver

/// model and thresholds → bundle
public struct ExportStage: Sendable {
  /// Greatest difference of logits between two ways to compute them that is taken for rounding.
  static let goldenTolerance = 2e-3

  public var type: WeightType
  public var threads: Int

  public init(type: WeightType, threads: Int) {
    self.type = type
    self.threads = threads
  }

  /// Writes the bundle's folder, whole or not at all.
  public func run(_ model: Checkpoint, _ thresholds: Thresholds, output: String, _ console: Console) throws {
    let writer = try BundleWriter(model: model, thresholds: thresholds, type: type, toolVersion: Gambit.version)
    try BundleWriter.checkReplaceable(output)
    let golden = try console.task("export: golden vectors", total: 1, unit: "") { task in
      try GoldenRecording(model: model, thresholds: thresholds, type: type, threads: threads)
        .record { task.advance(to: $0) }
    }
    let weights = Double(model.parameterCount)
    try console.task("export: weights", total: weights, unit: "weights") { task in
      try writer.write(to: output, golden: golden, tolerance: Self.goldenTolerance) { task.advance(to: $0 * weights) }
    }
  }
}
