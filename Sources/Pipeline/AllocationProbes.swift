import Checkpoints
import Evaluation
import Reports
import SparseBundle
import ThresholdSolver

/// What cutting each place alone loses, KL(dense‖sparse) a token, measured by forward passes over a little text.
struct AllocationProbes {
  private static let tokens = 1024

  let model: Checkpoint
  /// Token sequences to take some of; a text that is part of the program where it is `nil`.
  let sample: String?
  let threads: Int
  /// How weights lie; only methods that grade them need it.
  let planes: PlaneFormat?

  private typealias Place = WritableKeyPath<BudgetShares, Double>

  /// - Parameters:
  ///   - requests: Those of the same method and options share what is measured.
  ///   - solve: Thresholds for requests, each at its own shares.
  /// - Returns: What each request is to drop where, and which text says so.
  /// - Throws: ``PipelineError`` where the sample is not of this model.
  /// - Complexity: a forward pass over 1024 tokens for each share of every place.
  func places(
    for requests: [SolverRequest], _ console: Console,
    solve: (_ requests: [SolverRequest], _ places: [BudgetShares]) throws -> [Thresholds]
  ) throws -> (places: [BudgetShares], text: ProbedText) {
    let text = try ProbeText(model: model, sample: sample).windows(tokens: Self.tokens)
    let families = requests.reduce(into: [SolverRequest]()) { if !$0.contains($1.family) { $0.append($1.family) } }
    // Methods that cut channels all cut attention alike, so that its places are measured once.
    let cutting = families.filter { !$0.method.gradesWeights }
    var curves: [SolverRequest: BudgetPlaces<LossCurve>] = [:]
    if let first = cutting.first {
      let shares = [0.25, 0.5, 0.75]
      let found = try measure(
        cutting.map { Cut($0, \.ffn, shares) } + [Cut(first, \.query, shares), Cut(first, \.output, shares)],
        model.weights, text.windows, console, solve)
      for (family, ffn) in zip(cutting, found) {
        curves[family] = BudgetPlaces(ffn: ffn, query: found[cutting.count], output: found[cutting.count + 1])
      }
    }
    for family in families where family.method.gradesWeights {
      guard let planes else { throw SolverError.noScores }
      let inputs: [Place] = [\.query, \.output, \.keyShare, \.valueShare]
      // No more of the FFN can be saved than what its high planes leave.
      let cuts = [Cut(family, \.ffn, [0.25, 0.45, 0.6])] + inputs.map { Cut(family, $0, [0.25, 0.45, 0.6, 0.75]) }
      let found = try measure(
        cuts, PlaneWeights(model.weights, planes), text.windows, console, solve)
      curves[family] = BudgetPlaces(
        ffn: found[0], query: found[1], output: found[2], key: found[3], value: found[4])
    }
    let places = requests.map { request in
      curves[request.family]?.allocate(
        request.sparsity, model.configuration, isGraded: request.method.gradesWeights)
        ?? BudgetShares(all: request.sparsity)
    }
    return (places, text.probed)
  }

  /// The shares of one place at which to measure what it loses alone.
  private struct Cut {
    let family: SolverRequest
    let place: Place
    let shares: [Double]

    init(_ family: SolverRequest, _ place: Place, _ shares: [Double]) {
      self.family = family
      self.place = place
      self.shares = shares
    }
  }

  /// What each place loses alone, beside these weights with everything read.
  private func measure(
    _ cuts: [Cut], _ weights: any WeightSource, _ windows: [[Int32]], _ console: Console,
    _ solve: ([SolverRequest], [BudgetShares]) throws -> [Thresholds]
  ) throws -> [LossCurve] {
    let probes = cuts.flatMap { cut in
      cut.shares.map { share in
        var places = BudgetShares(all: 0)
        places[keyPath: cut.place] = share
        return (cut.family, places)
      }
    }
    let thresholds = try solve(probes.map(\.0), probes.map(\.1))
    let tokens = Double(windows.joined().count * thresholds.count)
    let losses = try console.task("probe", total: tokens, unit: "tokens") { task in
      try PerplexityMeasurement(weights, threads: threads)
        .run(windows, thresholds) { task.advance(to: $0 * tokens) }
        .sparse.map { $0.kl ?? 0 }
    }
    var rest = losses[...]
    return cuts.map { cut in
      defer { rest = rest.dropFirst(cut.shares.count) }
      return LossCurve(zip(cut.shares, rest).map { ($0, $1) })
    }
  }
}

extension BudgetShares {
  fileprivate var keyShare: Double {
    get { key ?? 0 }
    set { key = newValue }
  }
  fileprivate var valueShare: Double {
    get { value ?? 0 }
    set { value = newValue }
  }
}

extension SolverRequest {
  /// The same for all sparsities, with what does not depend on them; an input cut is in proportion.
  fileprivate var family: Self {
    var family = self
    // The output head is no place of these: it stays whole.
    family.head = false
    family.inputCut = inputCut.map { ($0 / sparsity * 100).rounded() / 100 }
    family.sparsity = method.gradesWeights ? 0 : 1
    return family
  }
}
