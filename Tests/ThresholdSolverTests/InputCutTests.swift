import ActivationStatistics
import TestSupport
import Testing
import ThresholdSolver

struct InputCutTests {
  /// What an input cut saves, rows and columns read instead: the sum is that of one cut at the sparsity.
  @Test(arguments: [0.05, 0.2, 0.5, 0.8, 0.95], [0, 0.2, 0.6, 1])
  func savesTheBytesOfOneCut(sparsity: Double, cut: Double) throws {
    let request = try SolverRequest(method: .chess, secondCut: 0.1, inputCut: cut, attention: false, sparsity: sparsity)
    let record = try Calibration(skipping: 0).records[0]
    let layer = Thresholds.Layer(record, request, gateActivation: .silu)
    let shares = layer.sharesDropped(record, gateActivation: .silu)
    let saved = (shares.input ?? 0) + shares.ffn + (shares.down ?? shares.ffn)
    // Shares of down columns are reckoned; see SecondCut.
    #expect(abs(saved - 2 * sparsity) < 0.05, "\(shares)")
    #expect((cut == 0) == (layer.input == nil))
  }

  @Test func thresholdIsTheQuantileOfAllInputs() throws {
    let request = try SolverRequest(method: .cats, inputCut: 0.3, attention: false, sparsity: 0.5)
    let record = try Calibration(skipping: 0).records[0]
    let layer = Thresholds.Layer(record, request, gateActivation: .silu)
    let shares = layer.sharesDropped(record, gateActivation: .silu)
    #expect(abs((shares.input ?? 0) - 0.3) < 1e-3 && abs(shares.ffn - 0.35) < 1e-3)
  }
}
