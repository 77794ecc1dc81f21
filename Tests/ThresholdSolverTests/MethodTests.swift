import TestSupport
import Testing
import ThresholdSolver

@testable import ActivationStatistics

struct MethodTests {
  struct Method: Sendable, CustomTestStringConvertible {
    let request: @Sendable (_ sparsity: Double) throws(SolverError) -> SolverRequest
    /// As in `statistics/llama.safetensors`.
    let testDescription: String
  }

  static let methods = [
    Method(
      request: { s throws(SolverError) in try SolverRequest(method: .cats, attention: true, sparsity: s) },
      testDescription: "cats"),
    Method(
      request: { s throws(SolverError) in try SolverRequest(method: .chess, norm: .mean, attention: true, sparsity: s)
      },
      testDescription: "chess_mean"),
    Method(
      request: { s throws(SolverError) in try SolverRequest(method: .chess, norm: .rms, attention: true, sparsity: s) },
      testDescription: "chess_rms"),
  ]

  /// With the up projection deciding the factors exchange their parts.
  @Test(arguments: [CHESS.Norm.mean, .rms])
  func chessByTheUpProjectionIsCHESSOfExchangedFactors(_ norm: CHESS.Norm) throws {
    for record in try Calibration(skipping: 0).records {
      var exchanged = record
      (exchanged.regular.gate, exchanged.regular.up) = (record.regular.up, record.regular.gate)
      func solve(_ record: LayerRecord, _ source: MaskSource) throws -> Thresholds.Layer {
        let request = try SolverRequest(
          method: .chess, norm: norm, source: source, attention: false, sparsity: 0.5)
        return Thresholds.Layer(record, request, gateActivation: .silu)
      }
      let up = try solve(record, .up)
      #expect(up.upDecides == [Bool](repeating: true, count: 160))
      // But for values near the fold of the gate's activation, which the other factor does not have.
      let expected = try solve(exchanged, .gate).ffn
      #expect(zip(up.ffn, expected).allSatisfy { ($0 / $1 - 1).magnitude < 0.02 })
    }
  }

  /// Numpy's are quantiles of the raw activations; ours come from histograms alone.
  @Test(arguments: methods, [0, 4])
  func thresholdsAreTheExactQuantilesWithinAPercent(_ method: Method, skipped: Int) throws {
    let calibration = try Calibration(skipping: skipped)
    let oracle = try SharedFixtures.safetensors("statistics/llama.safetensors")
    for (layer, record) in calibration.records.enumerated() {
      for percent in [30, 50, 70] {
        let solved = Thresholds.Layer(
          record, try method.request(Double(percent) / 100), gateActivation: .silu)
        for (name, thresholds) in [
          (method.testDescription, solved.ffn), ("query_threshold", solved.query ?? []),
          ("output_threshold", solved.output ?? []),
        ] {
          let exact = oracle.doubles(of: "skip\(skipped).layers.\(layer).\(name).\(percent)")
          #expect(!exact.isEmpty && exact.count == thresholds.count)
          let errors = zip(thresholds, exact).map { (Double($0) / $1 - 1).magnitude }
          #expect(errors.allSatisfy { $0 < 0.01 }, "layer \(layer), \(name), \(percent)%: \(errors.max() ?? 0)")
        }
      }
    }
  }

  /// Where the up projection decides, its values are compared.
  @Test func sharesOfMixedSourcesAreTheirOwn() throws {
    let calibration = try Calibration(skipping: 0)
    for (index, record) in calibration.records.enumerated() {
      var layer = Thresholds.Layer(
        record, try SolverRequest(method: .chess, attention: false, sparsity: 0.5), gateActivation: .silu)
      let upDecides = layer.ffn.indices.map { $0.isMultiple(of: 3) }
      layer.upDecides = upDecides
      func own(_ up: Bool) -> [Float] { zip(layer.ffn, upDecides).map { $1 == up ? $0 : 0 } }
      let counted =
        calibration.share(of: .gate, layer: index, below: own(false))
        + calibration.share(of: .up, layer: index, below: own(true))
      #expect((layer.sharesDropped(record, gateActivation: .silu).ffn - counted).magnitude < 0.005)
    }
  }

  @Test(arguments: methods, [0, 4])
  func realisedSharesAreTheAskedOnes(_ method: Method, skipped: Int) throws {
    let calibration = try Calibration(skipping: skipped)
    for (layer, record) in calibration.records.enumerated() {
      for percent in stride(from: 10, through: 90, by: 10) {
        let asked = Double(percent) / 100
        let solved = Thresholds.Layer(record, try method.request(asked), gateActivation: .silu)
        let estimated = solved.sharesDropped(record, gateActivation: .silu)
        for (place, thresholds, estimate) in [
          (RecordingTap.Place.gate, solved.ffn, estimated.ffn),
          (.attentionInput, solved.query ?? [], estimated.query ?? 0),
          (.outputInput, solved.output ?? [], estimated.output ?? 0),
        ] {
          let share = calibration.share(of: place, layer: layer, below: thresholds)
          #expect((share - asked).magnitude < 0.003, "layer \(layer), \(place), \(percent)%: \(share)")
          #expect((estimate - asked).magnitude < 1e-4)
        }
      }
    }
  }

  @Test(arguments: methods)
  func thresholdsNeverFallAsMoreIsDropped(_ method: Method) throws {
    let record = try Calibration(skipping: 0).records[1]
    let solved = try stride(from: 0, through: 100, by: 5).map { percent in
      Thresholds.Layer(record, try method.request(Double(percent) / 100), gateActivation: .silu)
    }
    for (less, more) in zip(solved, solved.dropFirst()) {
      #expect(zip(less.ffn, more.ffn).allSatisfy(<=))
      #expect(zip(less.query ?? [], more.query ?? []).allSatisfy(<=))
      #expect(zip(less.output ?? [], more.output ?? []).allSatisfy(<=))
    }
  }

  @Test(arguments: methods)
  func nothingAndEverythingAreDroppedExactly(_ method: Method) throws {
    let record = try Calibration(skipping: 0).records[0]
    let none = Thresholds.Layer(record, try method.request(0), gateActivation: .silu)
    #expect((none.ffn + (none.query ?? [.nan]) + (none.output ?? [.nan])).allSatisfy { $0 == 0 })
    let all = Thresholds.Layer(record, try method.request(1), gateActivation: .silu)
    #expect((all.ffn + (all.query ?? [.nan]) + (all.output ?? [.nan])).allSatisfy { $0 == .infinity })
    #expect(all.sharesDropped(record, gateActivation: .silu) == Thresholds.Shares(ffn: 1, query: 1, output: 1))
  }

  @Test func withoutAttentionOnlyTheFeedForwardIsCut() throws {
    let record = try Calibration(skipping: 0).records[0]
    let request = try SolverRequest(method: .chess, attention: false, sparsity: 0.5)
    let solved = Thresholds.Layer(record, request, gateActivation: .silu)
    #expect(solved.query == nil && solved.output == nil && solved.ffn.count == 160)
    let shares = solved.sharesDropped(record, gateActivation: .silu)
    #expect(shares.query == nil && shares.output == nil)
  }
}
