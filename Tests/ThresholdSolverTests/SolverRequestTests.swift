import Testing
import ThresholdSolver

struct SolverRequestTests {
  @Test(arguments: [-1, -0.001, 1.001, .infinity])
  func sparsityMustBeAShare(sparsity: Double) {
    #expect(throws: SolverError.notAShare(sparsity)) {
      try SolverRequest(method: .cats, attention: false, sparsity: sparsity)
    }
  }

  @Test func sparsityMustBeANumber() {
    #expect(throws: SolverError.self) { try SolverRequest(method: .cats, attention: false, sparsity: .nan) }
  }

  @Test func onlyChessHasANorm() throws {
    #expect(throws: SolverError.noNorm(.cats)) {
      try SolverRequest(method: .cats, norm: .mean, attention: false, sparsity: 0.5)
    }
    #expect(try SolverRequest(method: .chess, attention: false, sparsity: 0.5).norm == .rms)
  }
}
