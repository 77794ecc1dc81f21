import Checkpoints
import Corpus
import Evaluation
import Foundation
import Reports
import ThresholdSolver
import Tokenizers

/// What cutting each place alone loses, KL(dense‖sparse) a token, measured by forward passes over a little text.
struct AllocationProbes {
  /// Shares at which each place is cut.
  private static let shares = [0.25, 0.5, 0.75]
  private static let tokens = 1024

  let model: Checkpoint
  /// Token sequences to take some of; a text that is part of the program where it is `nil`.
  let sample: String?
  let threads: Int

  /// - Parameters:
  ///   - requests: Those of the same method and options share what is measured.
  ///   - solve: Thresholds for requests, each at its own shares.
  /// - Returns: What each request is to drop where.
  /// - Throws: ``PipelineError`` where the sample is not of this model.
  /// - Complexity: a forward pass over 1024 tokens for each share of the query, of the output, and of every method.
  func places(
    for requests: [SolverRequest], _ console: Console,
    solve: (_ requests: [SolverRequest], _ places: [BudgetShares]) throws -> [Thresholds]
  ) throws -> [BudgetShares] {
    let families = requests.reduce(into: [SolverRequest]()) { if !$0.contains($1.family) { $0.append($1.family) } }
    let cuts: [(family: SolverRequest, place: WritableKeyPath<BudgetShares, Double>)] =
      families.map { ($0, \.ffn) } + [(families[0], \.query), (families[0], \.output)]
    let probes = cuts.flatMap { cut in
      Self.shares.map { share in
        var places = BudgetShares(all: 0)
        places[keyPath: cut.place] = share
        return (cut.family, places)
      }
    }
    let losses = try measure(try solve(probes.map(\.0), probes.map(\.1)), console)
    let curves = stride(from: 0, to: losses.count, by: Self.shares.count).map { start in
      LossCurve(zip(Self.shares, losses[start...]).map { ($0, $1) })
    }
    return requests.map { request in
      let ffn = families.firstIndex(of: request.family) ?? 0
      return BudgetPlaces(ffn: curves[ffn], query: curves[families.count], output: curves[families.count + 1])
        .allocate(request.sparsity, model.configuration)
    }
  }

  private func measure(_ thresholds: [Thresholds], _ console: Console) throws -> [Double] {
    let windows = try windows()
    let tokens = Double(windows.joined().count * thresholds.count)
    return try console.task("probe", total: tokens, unit: "tokens") { task in
      try PerplexityMeasurement(model.weights, threads: threads)
        .run(windows, thresholds) { task.advance(to: $0 * tokens) }
        .sparse.map { $0.kl ?? 0 }
    }
  }

  private func windows() throws -> [[Int32]] {
    guard let sample else {
      let c = model.configuration
      return try LossText.builtIn.windows(
        Tokenizer(model.tokenizer), contextLength: c.contextLength, vocabularySize: c.vocabularySize, model: model.path)
    }
    let sequences = try TokenSequences(contentsOf: URL(filePath: sample))
    try sequences.check(model, path: sample)
    // Evenly spaced, so that every source has its part.
    let count = min(max(Self.tokens / sequences.sequenceLength, 1), sequences.count)
    return (0..<count).map { sequences[$0 * sequences.count / count] }
  }
}

extension SolverRequest {
  /// The same for all sparsities, with what does not depend on them; an input cut is in proportion.
  fileprivate var family: Self {
    var family = self
    family.inputCut = inputCut.map { ($0 / sparsity * 100).rounded() / 100 }
    family.sparsity = 1
    return family
  }
}
