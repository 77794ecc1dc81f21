import ActivationStatistics
import Checkpoints
import TestSupport
import Testing
import ThresholdSolver

struct InputCutsTests {
  static let methods = [SolverRequest.Method.magnitude, .wina]

  /// Numpy's are quantiles of the raw activations of every projection's input; ours come from histograms alone.
  @Test(arguments: methods)
  func thresholdsAreTheExactQuantilesWithinAPercent(_ method: SolverRequest.Method) throws {
    let oracle = try SharedFixtures.safetensors("statistics/inputs.safetensors")
    for (index, record) in try Calibration(skipping: 0).records.enumerated() {
      for percent in [30, 50, 70] {
        let solved = try solve(record, layer: index, method, Double(percent) / 100)
        #expect(solved.ffn == [Float](repeating: 0, count: 160))
        for (place, thresholds) in solved.places {
          let exact = oracle.doubles(of: "\(method.rawValue).layers.\(index).\(place).\(percent)")
          #expect(!exact.isEmpty && exact.count == thresholds.count)
          let errors = zip(thresholds, exact).map { (Double($0) / $1 - 1).magnitude }
          #expect(errors.allSatisfy { $0 < 0.01 }, "layer \(index), \(place), \(percent)%: \(errors.max() ?? 0)")
        }
      }
    }
  }

  /// Of the raw activations, too.
  @Test(arguments: methods)
  func everyPlaceDropsTheAskedShare(_ method: SolverRequest.Method) throws {
    let calibration = try Calibration(skipping: 0)
    for (index, record) in calibration.records.enumerated() {
      let solved = try solve(record, layer: index, method, 0.4)
      let stated = solved.sharesDropped(record, gateActivation: .silu)
      for share in [
        stated.down, stated.input, stated.otherInput, stated.query, stated.key, stated.value, stated.output,
      ] { #expect(((share ?? .nan) - 0.4).magnitude < 1e-4) }
      #expect(stated.ffn == 0)
      for (place, thresholds) in [
        (RecordingTap.Place.attentionInput, solved.key), (.attentionInput, solved.value), (.ffnInput, solved.input),
        (.ffnInput, solved.otherInput), (.product, solved.product),
      ] {
        let share = calibration.share(of: place, layer: index, below: try #require(thresholds))
        #expect((share - 0.4).magnitude < 0.003, "layer \(index), \(place): \(share)")
      }
    }
  }

  @Test(arguments: methods)
  func nothingAndEverythingAreDroppedExactly(_ method: SolverRequest.Method) throws {
    let record = try Calibration(skipping: 0).records[0]
    let none = try solve(record, layer: 0, method, 0)
    #expect(none.places.allSatisfy { $0.thresholds.allSatisfy { $0 == 0 } })
    let all = try solve(record, layer: 0, method, 1)
    #expect(all.places.count == 7 && all.places.allSatisfy { $0.thresholds.allSatisfy { $0 == .infinity } })
    #expect(
      all.sharesDropped(record, gateActivation: .silu)
        == Thresholds.Shares(ffn: 0, down: 1, input: 1, otherInput: 1, query: 1, key: 1, value: 1, output: 1))
  }

  @Test(arguments: methods)
  func withoutAttentionOnlyTheFeedForwardIsCut(_ method: SolverRequest.Method) throws {
    let record = try Calibration(skipping: 0).records[0]
    let solved = try solve(record, layer: 0, method, 0.5, attention: false)
    #expect(solved.places.map(\.name) == ["gate", "up", "down"])
  }

  /// Several methods at several budgets in one walk are what each is by itself.
  @Test func requestsDoNotDisturbEachOther() throws {
    let record = try Calibration(skipping: 0).records[1]
    let norms = ColumnNorms(try TinyModel.llama.open().weights.layer(1))
    let requests = try [SolverRequest.Method.wina, .magnitude, .chess].flatMap { method in
      try [0.3, 0.6].map { try SolverRequest(method: method, attention: true, sparsity: $0) }
    }
    let together = Thresholds.Layer.solve(record, requests, gateActivation: .silu, norms: norms)
    for (request, layer) in zip(requests, together) {
      #expect(layer == Thresholds.Layer(record, request, gateActivation: .silu, norms: norms))
    }
    #expect(Set(together.map(\.ffn)).count == 3)
  }

  private func solve(
    _ record: LayerRecord, layer: Int, _ method: SolverRequest.Method, _ sparsity: Double, attention: Bool = true
  ) throws -> Thresholds.Layer {
    let request = try SolverRequest(method: method, attention: attention, sparsity: sparsity)
    let norms = method == .wina ? ColumnNorms(try TinyModel.llama.open().weights.layer(layer)) : nil
    return Thresholds.Layer(record, request, gateActivation: .silu, norms: norms)
  }
}

extension Thresholds.Layer {
  /// By the projection that reads the input; names are those of the oracle.
  fileprivate var places: [(name: String, thresholds: [Float])] {
    [
      ("query", query), ("key", key), ("value", value), ("output", output), ("gate", input), ("up", otherInput),
      ("down", product),
    ].compactMap { name, thresholds in thresholds.map { (name, $0) } }
  }
}
