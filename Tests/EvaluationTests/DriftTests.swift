import Evaluation
import TestSupport
import Testing
import ThresholdSolver

struct DriftTests {
  private let realised: [Thresholds.Shares] = [.init(ffn: 0.5, down: 0.625), .init(ffn: 0.375, down: 0.875)]

  @Test func meansDecide() {
    let drift = Drift(
      realised: realised, calibration: .init(ffn: 0.5, down: 0.75), layers: nil, tolerance: 0.0625)
    #expect(drift.isWithin && drift.places.map(\.place) == [.ffn, .down])
    #expect(drift.places.map(\.difference) == [-0.0625, 0])
    #expect(drift.layers.count == 2 && drift.layers[1].map(\.realised) == [0.375, 0.875])
    #expect(drift.places.allSatisfy { $0.layerDifference == nil })
    #expect(drift.layers[0].allSatisfy { $0.calibration == nil && $0.isWithin == nil })
    #expect(!Drift(realised: realised, calibration: .init(ffn: 0.5, down: 0.75), layers: nil, tolerance: 0.06).isWithin)
  }

  /// Layers differ where their mean does not.
  @Test func layersAreComparedWhereTheyAreKnown() {
    let drift = Drift(
      realised: realised, calibration: .init(ffn: 0.4375, down: 0.75),
      layers: [.init(ffn: 0.375, down: 0.625), .init(ffn: 0.5, down: 0.875)], tolerance: 0.0625)
    #expect(!drift.isWithin && drift.places.map(\.difference) == [0, 0])
    #expect(drift.places.map(\.layerDifference) == [0.125, 0] && drift.places.map(\.isWithin) == [false, true])
    #expect(drift.layers.map { $0.map(\.difference) } == [[0.125, 0], [-0.125, 0]])
    #expect(drift.layers.map { $0.map(\.isWithin) } == [[false, true], [false, true]])
  }

  @Test(arguments: [false, true])
  func sharesAreThoseOfThePerplexityMeasurement(isExtended: Bool) throws {
    let checkpoint = try TinyModel.llama.open()
    let thresholds = try checkpoint.someThresholds(isExtended: isExtended)
    let windows = try calibrationSequences()
    let expected = try PerplexityMeasurement(checkpoint.weights, threads: 1).run(windows, [thresholds]).sparse[0].shares
    #expect(try ThresholdWalk(checkpoint.weights, threads: 2).run(windows, thresholds).shares == expected)
  }
}
