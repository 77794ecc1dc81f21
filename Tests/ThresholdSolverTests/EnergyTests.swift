import TestSupport
import Testing

@testable import ActivationStatistics
@testable import ThresholdSolver

struct EnergyTests {
  /// Nothing with one threshold a channel costs less than the optimum of the raw activations. It fits every single one
  /// of 1,024 tokens, which bins do not and should not: most where the gate, whose tail is long, is the other factor.
  @Test(arguments: [MaskSource.gate, .up, .perChannel], [30, 50, 70])
  func droppedEnergyIsNearTheLeast(_ source: MaskSource, percent: Int) throws {
    let calibration = try Calibration(skipping: 0)
    let oracle = try SharedFixtures.safetensors("statistics/energy.safetensors")
    let name = source == .perChannel ? "per_channel" : source.rawValue
    for (index, record) in calibration.records.enumerated() {
      let dropped = calibration.dropped(try solve(record, source, Double(percent) / 100), layer: index)
      let least = oracle.doubles(of: "layers.\(index).\(name).\(percent)")[0]
      #expect((dropped.rows - Double(percent) / 100).magnitude < 0.003, "layer \(index): \(dropped.rows)")
      // A share that is 0.3 points short may cost a little less.
      #expect((0.98...1.15).contains(dropped.energy / least), "layer \(index): \(dropped.energy / least)")
    }
  }

  /// Sources chosen at one share cost no more at another than thresholds must, and are the same at all of them.
  @Test(arguments: [30, 50, 70])
  func droppedEnergyIsNearTheLeastOfSharedSources(percent: Int) throws {
    let calibration = try Calibration(skipping: 0)
    let oracle = try SharedFixtures.safetensors("statistics/energy.safetensors")
    for (index, record) in calibration.records.enumerated() {
      let chosen = try solve(record, .perChannel, 0.3)
      let shared = try solve(record, .perChannel, Double(percent) / 100, sourceShare: 0.3)
      #expect(shared.upDecides == chosen.upDecides)
      let dropped = calibration.dropped(shared, layer: index)
      let least = oracle.doubles(of: "layers.\(index).shared.\(percent)")[0]
      #expect((dropped.rows - Double(percent) / 100).magnitude < 0.003, "layer \(index): \(dropped.rows)")
      #expect((0.98...1.15).contains(dropped.energy / least), "layer \(index): \(dropped.energy / least)")
    }
  }

  @Test func sourcesSharedAtTheAskedShareAreTheChannelsOwn() throws {
    for record in try Calibration(skipping: 0).records {
      let (own, shared) = (try solve(record, .perChannel, 0.5), try solve(record, .perChannel, 0.5, sourceShare: 0.5))
      #expect(own.upDecides == shared.upDecides)
      #expect(zip(own.ffn, shared.ffn).allSatisfy { $0 == $1 || ($0 / $1 - 1).magnitude < 1e-5 })
      let none = try solve(record, .perChannel, 0, sourceShare: 0.5)
      #expect(none.upDecides == own.upDecides && none.ffn.allSatisfy { $0 == 0 })
    }
  }

  @Test func bothSourcesTogetherCostNoMoreThanEitherAndEitherNoMoreThanCHESS() throws {
    let calibration = try Calibration(skipping: 0)
    for (index, record) in calibration.records.enumerated() {
      func energy(_ layer: Thresholds.Layer) -> Double { calibration.dropped(layer, layer: index).energy }
      let both = energy(try solve(record, .perChannel, 0.5))
      let chess = try [MaskSource.gate, .up].map { source in
        let request = try SolverRequest(method: .chess, source: source, attention: false, sparsity: 0.5)
        return energy(Thresholds.Layer(record, request, gateActivation: .silu))
      }
      let single = try [MaskSource.gate, .up].map { energy(try solve(record, $0, 0.5)) }
      #expect(single.allSatisfy { both < 1.01 * $0 }, "layer \(index): \(single.map { both / $0 })")
      #expect(zip(single, chess).allSatisfy { $0 < 1.01 * $1 })
    }
  }

  @Test(arguments: [MaskSource.gate, .up])
  func thresholdsNeverFallAsMoreIsDropped(_ source: MaskSource) throws {
    let record = try Calibration(skipping: 0).records[1]
    let solved = try stride(from: 0, through: 100, by: 5).map { try solve(record, source, Double($0) / 100).ffn }
    for (less, more) in zip(solved, solved.dropFirst()) { #expect(zip(less, more).allSatisfy(<=)) }
  }

  @Test(arguments: [MaskSource.gate, .up, .perChannel])
  func shareIsTheAskedOne(_ source: MaskSource) throws {
    let record = try Calibration(skipping: 0).records[2]
    for percent in stride(from: 0, through: 100, by: 10) {
      let asked = Double(percent) / 100
      let share = try solve(record, source, asked).sharesDropped(record, gateActivation: .silu).ffn
      #expect((share - asked).magnitude < 1e-4, "\(percent)%: \(share)")
    }
  }

  /// Where one factor's magnitude tells nothing of the other, CHESS is optimal.
  @Test func independentFactorsAreCHESS() throws {
    let record = record(channels: 6) { channel, numbers in
      (Float(1 + channel) * Float(numbers.normal()), Float(numbers.normal()) / Float(1 + channel % 3))
    }
    let request = try SolverRequest(method: .chess, norm: .rms, attention: false, sparsity: 0.5)
    let chess = Thresholds.Layer(record, request, gateActivation: .silu).ffn
    let energy = try solve(record, .gate, 0.5).ffn
    #expect(zip(energy, chess).allSatisfy { ($0 / $1 - 1).magnitude < 0.12 })
  }

  /// The factor that varies tells more of the product than the one that does not.
  @Test func channelsTakeTheFactorThatTellsMore() throws {
    let record = record(channels: 8) { channel, numbers in
      let (steady, varying) = (Float(1), Float(numbers.normal()))
      return channel.isMultiple(of: 2) ? (steady, varying) : (varying, steady)
    }
    let solved = try solve(record, .perChannel, 0.5)
    #expect(solved.upDecides == (0..<8).map { $0.isMultiple(of: 2) })
    #expect(try solve(record, .gate, 0.5).upDecides == nil)
    #expect(try solve(record, .up, 0.5).upDecides == [Bool](repeating: true, count: 8))
  }

  private func solve(
    _ record: LayerRecord, _ source: MaskSource, _ sparsity: Double, sourceShare: Double? = nil
  ) throws -> Thresholds.Layer {
    let request = try SolverRequest(
      method: .energy, source: source, sourceShare: sourceShare, secondCut: 0, inputCut: 0, attention: false,
      sparsity: sparsity)
    return Thresholds.Layer(record, request, gateActivation: .silu)
  }

  /// Statistics of 40,000 tokens of made-up factors.
  private func record(
    channels: Int, _ factors: (_ channel: Int, inout RandomNumbers) -> (gate: Float, up: Float)
  ) -> LayerRecord {
    var numbers = RandomNumbers(seed: 3)
    let tokens = 40_000
    let pairs = (0..<tokens * channels).map { factors($0 % channels, &numbers) }
    let accumulator = FactorAccumulator(channels: channels)
    accumulator.add(gate: pairs.map(\.gate), up: pairs.map(\.up), tokens: tokens)
    let counted = accumulator.finish()
    var record = LayerRecord(LayerWidths(hidden: 1, query: 1, intermediate: channels))
    (record.regular.gate, record.regular.up) = (counted.gate, counted.up)
    record.regular.productCount = counted.productCount
    return record
  }
}
