import ActivationStatistics
import Checkpoints
import TestSupport
import ThresholdSolver
import Transformer

/// What the tiny llama computes over its calibration tokens: statistics, and the activations themselves.
struct Calibration: Sendable {
  /// Leaving out the first `skipped` positions of each sequence.
  let records: [LayerRecord]
  private let tap = RecordingTap()
  private let skipped: Int
  private let sequences: Int

  init(skipping skipped: Int) throws {
    let weights = try TinyModel.llama.open().weights
    let ids = try calibrationSequences()
    self.skipped = skipped
    sequences = ids.count
    records = try collectStatistics(weights, ids, sinkPositions: skipped).map { record in
      var regular = record
      regular.sinks = LayerRecord(LayerWidths(hidden: 64, query: 64, intermediate: 160)).sinks
      return regular
    }
    let tap = tap
    _ = try logits(weights, ids, tap: { _ in tap })
  }

  /// What thresholds drop of the FFN: shares of the channels' other rows and of their down columns, and the sum of
  /// (g·u)² over channels whose rows are dropped.
  func dropped(_ thresholds: Thresholds.Layer, layer: Int) -> (rows: Double, columns: Double, energy: Double) {
    var (rows, columns, seen, energy) = (0, 0, 0, 0.0)
    for sequence in 0..<sequences {
      let gate = tap.values(.gate, layer: layer, sequence: sequence)
      let up = tap.values(.up, layer: layer, sequence: sequence)
      let width = gate.count / 64
      for i in skipped * width..<gate.count {
        let deciding = thresholds.upDecides?[i % width] == true ? up[i] : gate[i]
        let product = gate[i] * up[i]
        let isDropped = deciding.magnitude < thresholds.ffn[i % width]
        let isSmall = thresholds.product.map { product.magnitude < $0[$0.count == 1 ? 0 : i % width] } ?? false
        rows += isDropped ? 1 : 0
        columns += isDropped || isSmall ? 1 : 0
        energy += isDropped ? Double(product) * Double(product) : 0
        seen += 1
      }
    }
    return (Double(rows) / Double(seen), Double(columns) / Double(seen), energy)
  }

  /// The share of values at a place that are smaller than their channel's threshold.
  func share(of place: RecordingTap.Place, layer: Int, below thresholds: [Float]) -> Double {
    var (dropped, seen) = (0, 0)
    for sequence in 0..<sequences {
      let values = tap.values(place, layer: layer, sequence: sequence)
      let width = values.count / 64
      for i in skipped * width..<values.count {
        dropped += values[i].magnitude < thresholds[thresholds.count == 1 ? 0 : i % width] ? 1 : 0
        seen += 1
      }
    }
    return Double(dropped) / Double(seen)
  }
}
