import ActivationStatistics
import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import ThresholdSolver

struct ChannelOutlookTests {
  @Test(arguments: [(Float(0), 1.0, 0.0), (.infinity, 0, 1)])
  func everythingOrNothing(threshold: Float, kept: Double, lostShare: Double) throws {
    let record = try Calibration(skipping: 0).records[1]
    let statistics = record.all
    let bins = LogarithmicBins.count
    let tokens = Double(statistics.gate.count[0..<bins].reduce(0, +))
    let layer = Thresholds.Layer(ffn: [Float](repeating: threshold, count: statistics.gate.count.count / bins))
    for (channel, outlook) in layer.outlook(record, gateActivation: .silu).enumerated() {
      let energy = statistics.gate.energy.values[channel * bins..<(channel + 1) * bins].reduce(0, +)
      #expect(outlook.keptShare == kept && outlook.factor == .gate && outlook.threshold == threshold)
      #expect(abs(outlook.energyLost - lostShare * energy / tokens) <= 1e-12 * energy)
    }
  }

  /// The mean over channels is what the solver says is dropped.
  @Test(arguments: [MaskSource.gate, .perChannel])
  func sharesAreThoseOfTheLayer(_ source: MaskSource) throws {
    let calibration = try Calibration(skipping: 0)
    let record = calibration.records[1]
    let request = try SolverRequest(
      method: .energy, source: source, secondCut: 0, inputCut: 0, attention: false, sparsity: 0.5)
    let layer = Thresholds.Layer(record, request, gateActivation: .silu)
    let outlooks = layer.outlook(record, gateActivation: .silu)
    let kept: Double = outlooks.map(\.keptShare).reduce(0, +) / Double(outlooks.count)
    let stated: Double = layer.sharesDropped(record, gateActivation: .silu).ffn
    #expect(abs(1 - kept - stated) < 1e-9)
    // Of the activations themselves: inside bins values are spread evenly but for chance.
    let tokens = Double(record.all.gate.count.reduce(0, +)) / Double(outlooks.count)
    let energy = calibration.dropped(layer, layer: 1).energy
    let lost: Double = outlooks.map(\.energyLost).reduce(0, +) * tokens
    #expect(abs(lost / energy - 1) < 0.05)
    let factors: Set<String> = Set(outlooks.map { $0.factor.rawValue })
    let expected: Set<String> = source == .gate ? ["gate"] : ["gate", "up"]
    #expect(factors == expected)
  }
}
