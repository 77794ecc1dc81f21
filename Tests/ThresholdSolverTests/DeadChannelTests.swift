import TestSupport
import Testing

@testable import ActivationStatistics
@testable import ThresholdSolver

struct DeadChannelTests {
  /// A channel whose `u` is always 0 has only scores of 0: it goes first.
  @Test(
    arguments: [
      try SolverRequest(method: .chess, norm: .mean, attention: false, sparsity: 0.5),
      try SolverRequest(method: .chess, norm: .rms, attention: false, sparsity: 0.5),
      try SolverRequest(method: .energy, source: .gate, secondCut: 0, inputCut: 0, attention: false, sparsity: 0.5),
      try SolverRequest(
        method: .energy, source: .perChannel, secondCut: 0, inputCut: 0, attention: false, sparsity: 0.5),
    ])
  func channelThatContributesNothingIsDroppedForGood(_ request: SolverRequest) throws {
    let record = record(dead: 1)
    let solved = Thresholds.Layer(record, request, gateActivation: .silu)
    #expect(solved.ffn[1] == .infinity)
    #expect([0, 2, 3].allSatisfy { solved.ffn[$0].isFinite && solved.ffn[$0] > 0 })
    #expect((solved.sharesDropped(record, gateActivation: .silu).ffn - 0.5).magnitude < 1e-6)
  }

  @Test func withoutTokensThereIsNothingToDrop() throws {
    let record = LayerRecord(LayerWidths(hidden: 1, query: 1, intermediate: 4))
    for method in SolverRequest.Method.solvable where !method.sources.isEmpty {
      let request = try SolverRequest(method: method, attention: true, sparsity: 0.5)
      let solved = Thresholds.Layer(record, request, gateActivation: .silu)
      #expect((solved.ffn + (solved.query ?? [])).allSatisfy { $0 >= 0 })
      #expect(
        solved.sharesDropped(record, gateActivation: .silu)
          == Thresholds.Shares(
            ffn: 0, down: method == .energy ? 0 : nil, input: method == .energy ? 0 : nil, query: 0, output: 0))
    }
  }

  /// Four channels, one of which has no `u`.
  private func record(dead: Int) -> LayerRecord {
    var numbers = RandomNumbers(seed: 1)
    let tokens = 2000
    let accumulator = FactorAccumulator(channels: 4)
    var up = numbers.normals(4 * tokens)
    for token in 0..<tokens { up[4 * token + dead] = 0 }
    accumulator.add(gate: numbers.normals(4 * tokens), up: up, tokens: tokens)
    var record = LayerRecord(LayerWidths(hidden: 1, query: 1, intermediate: 4))
    let counted = accumulator.finish()
    (record.regular.gate, record.regular.up) = (counted.gate, counted.up)
    return record
  }
}
