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

  @Test func methodsHaveTheirOwnSources() throws {
    #expect(try SolverRequest(method: .energy, attention: false, sparsity: 0.5).source == .perChannel)
    #expect(try SolverRequest(method: .chess, source: .gate, attention: false, sparsity: 0.5).source == nil)
    #expect(throws: SolverError.noSource(.cats)) {
      try SolverRequest(method: .cats, source: .up, attention: false, sparsity: 0.5)
    }
    #expect(throws: SolverError.noSource(.chess)) {
      try SolverRequest(method: .chess, source: .perChannel, attention: false, sparsity: 0.5)
    }
  }

  @Test func onlyChannelsWithTheirOwnSourceChooseIt() throws {
    let request = try SolverRequest(method: .energy, sourceShare: 0.25, attention: false, sparsity: 0.5)
    #expect(request.fileName == "thresholds-energy-sources0.25-0.5.safetensors")
    for source in [MaskSource.gate, .up] {
      #expect(throws: SolverError.noSourceShare) {
        try SolverRequest(method: .energy, source: source, sourceShare: 0.25, attention: false, sparsity: 0.5)
      }
    }
    #expect(throws: SolverError.noSourceShare) {
      try SolverRequest(method: .cats, sourceShare: 0.25, attention: false, sparsity: 0.5)
    }
    #expect(throws: SolverError.notAShare(2)) {
      try SolverRequest(method: .energy, sourceShare: 2, attention: false, sparsity: 0.5)
    }
  }

  /// By hand: inputs save 0.2 of two thirds, the second cut takes 0.075.
  @Test func rowShareIsWhatBothCutsLeave() throws {
    #expect(try SolverRequest(method: .energy, attention: false, sparsity: 0.5).rowShare == 0.325)
    #expect(try SolverRequest(method: .chess, attention: false, sparsity: 0.123_45).rowShare == 0.123)
  }

  @Test(arguments: [-0.1, 0.6, .infinity])
  func secondCutMustLeaveShares(_ cut: Double) {
    #expect(throws: SolverError.notASecondCut(cut)) {
      try SolverRequest(method: .energy, secondCut: cut, attention: false, sparsity: 0.5)
    }
  }

  @Test(arguments: [-0.1, 1.1, .infinity])
  func inputCutMustBeAShare(_ cut: Double) {
    #expect(throws: SolverError.notAnInputCut(cut)) {
      try SolverRequest(method: .energy, inputCut: cut, attention: false, sparsity: 0.5)
    }
  }

  @Test func importedThresholdsAreNotSolvedAndHaveNoCuts() throws {
    #expect(throws: SolverError.notSolvable(.imported)) { try SolverRequest.Method.imported.checkSolvable() }
    for method in SolverRequest.Method.solvable { try method.checkSolvable() }
    #expect(throws: SolverError.noCuts(.imported)) {
      try SolverRequest(method: .imported, secondCut: 0.1, attention: false, sparsity: 0.5)
    }
    #expect(throws: SolverError.noAllocation(.imported, .global)) {
      try SolverRequest(method: .imported, attention: true, allocation: .global, sparsity: 0.5)
    }
  }

  @Test func filesOfEveryOptionHaveTheirOwnName() throws {
    var requests: Set<SolverRequest> = []
    for method in SolverRequest.Method.solvable {
      for norm in [nil] + method.norms.map(Optional.some) {
        for source in method.sources.isEmpty ? [nil] : method.sources.map(Optional.some) {
          for cut in method.sources.isEmpty ? [0] : [0, 0.1, 0.2] {
            for input in method.sources.isEmpty ? [0] : [0, 0.3] {
              for attention in [false, true] {
                requests.insert(
                  try SolverRequest(
                    method: method, norm: norm, source: source, secondCut: cut, inputCut: input, attention: attention,
                    sparsity: 0.5))
              }
            }
          }
        }
      }
    }
    #expect(Set(requests.map(\.fileLabel)).count == requests.count)
    #expect(try SolverRequest(method: .energy, attention: false, sparsity: 0.5).fileLabel == "energy")
    #expect(
      try SolverRequest(method: .chess, norm: .mean, source: .up, attention: true, sparsity: 0.5).fileLabel
        == "chess-mean-up-attention")
  }

  @Test(arguments: [SolverRequest.Method.magnitude, .wina])
  func methodsThatCutInputsHaveNoOtherOption(_ method: SolverRequest.Method) throws {
    let request = try SolverRequest(method: method, secondCut: 0, inputCut: 0, attention: true, sparsity: 0.5)
    #expect(request.source == nil && request.secondCut == nil && request.inputCut == nil)
    #expect(throws: SolverError.noSource(method)) {
      try SolverRequest(method: method, source: .gate, attention: false, sparsity: 0.5)
    }
    #expect(throws: SolverError.noNorm(method)) {
      try SolverRequest(method: method, norm: .rms, attention: false, sparsity: 0.5)
    }
    for (second, input) in [(0.1, 0), (0, 0.1)] {
      #expect(throws: SolverError.noCuts(method)) {
        try SolverRequest(method: method, secondCut: second, inputCut: input, attention: false, sparsity: 0.5)
      }
    }
    #expect(throws: SolverError.noAllocation(method, .global)) {
      try SolverRequest(method: method, attention: true, allocation: .global, sparsity: 0.5)
    }
    #expect(throws: SolverError.notExportable(method)) { try method.checkExportable() }
  }

  @Test func onlyMethodsThatCutInputsAreDividedGreedily() throws {
    for method in SolverRequest.Method.solvable where !method.cutsInputs {
      #expect(throws: SolverError.noAllocation(method, .greedy)) {
        try SolverRequest(method: method, attention: true, allocation: .greedy, sparsity: 0.5)
      }
    }
    // The FFN's own three inputs can be divided between as well.
    let alone = try SolverRequest(method: .magnitude, attention: false, allocation: .greedy, sparsity: 0.5)
    #expect(alone.allocation == .greedy && alone.fileName == "thresholds-magnitude-greedy-0.5.safetensors")
  }

  @Test func onlyGradedWeightsHaveAHeadOnDemand() throws {
    let request = try SolverRequest(method: .planes, attention: false, head: true, sparsity: 0.5)
    #expect(request.fileName == "thresholds-planes-head-0.5.safetensors")
    for method in SolverRequest.Method.solvable where method != .planes {
      #expect(throws: SolverError.noHead(method)) {
        try SolverRequest(method: method, attention: false, head: true, sparsity: 0.5)
      }
    }
  }

  @Test func onlyChessHasANorm() throws {
    #expect(throws: SolverError.noNorm(.cats)) {
      try SolverRequest(method: .cats, norm: .mean, attention: false, sparsity: 0.5)
    }
    #expect(try SolverRequest(method: .chess, attention: false, sparsity: 0.5).norm == .rms)
  }
}
