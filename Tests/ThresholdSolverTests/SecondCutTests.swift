import ActivationStatistics
import TestSupport
import Testing
import ThresholdSolver

struct SecondCutTests {
  /// Rows less and columns more than asked, by the cut; together the same bytes.
  @Test(arguments: [SolverRequest.Method.chess, .energy], [0.05, 0.1, 0.2])
  func bothCutsDropTheirShares(_ method: SolverRequest.Method, cut: Double) throws {
    let calibration = try Calibration(skipping: 0)
    for (index, record) in calibration.records.enumerated() {
      for sparsity in [0.3, 0.5, 0.7] {
        let solved = try solve(record, method, cut, sparsity)
        let stated = solved.sharesDropped(record, gateActivation: .silu)
        let counted = calibration.dropped(solved, layer: index)
        #expect((counted.rows - (sparsity - cut)).magnitude < 0.003)
        // How many only the first cut drops is reckoned, not counted.
        #expect((counted.columns - (sparsity + cut)).magnitude < 0.015, "layer \(index): \(counted.columns)")
        #expect((stated.ffn - (sparsity - cut)).magnitude < 1e-4)
        // The fixed point is slow where the cuts lie close together.
        #expect(((stated.down ?? 0) - (sparsity + cut)).magnitude < 0.006)
      }
    }
  }

  @Test(arguments: [0, 1.0])
  func atTheEndsBothCutsAgree(sparsity: Double) throws {
    let record = try Calibration(skipping: 0).records[0]
    let solved = try solve(record, .energy, 0.1, sparsity)
    #expect(solved.product == [sparsity == 0 ? 0 : .infinity])
    let shares = solved.sharesDropped(record, gateActivation: .silu)
    for share in [shares.ffn, shares.down ?? .nan] { #expect((share - sparsity).magnitude < 1e-9) }
  }

  private func solve(
    _ record: LayerRecord, _ method: SolverRequest.Method, _ cut: Double, _ sparsity: Double
  ) throws -> Thresholds.Layer {
    let request = try SolverRequest(
      method: method, secondCut: cut, inputCut: 0, attention: false, sparsity: sparsity)
    return Thresholds.Layer(record, request, gateActivation: .silu)
  }
}
