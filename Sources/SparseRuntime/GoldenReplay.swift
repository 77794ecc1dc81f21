import Foundation
import LinearAlgebra
import SparseBundle
import ThresholdSolver

/// Whether the plain oracle computes a bundle's golden vectors.
public struct GoldenReplay: Sendable, Equatable {
  /// Greatest difference of dense logits from the recorded ones, and of sparse logits when every token
  /// keeps what is recorded.
  public private(set) var denseDifference = 0.0
  public private(set) var sparseDifference = 0.0
  /// Greatest difference of dense logits from the source model's.
  public private(set) var sourceDifference = 0.0
  /// Decisions recorded, and those that thresholds would have made differently.
  public private(set) var decisions = 0
  public private(set) var disagreements: [Disagreement] = []

  /// How far from its threshold a magnitude may be, as a share of it, to be decided differently by two
  /// correct computations that add in different orders.
  public static let tieMargin: Float = 1e-3

  /// Disagreements that rounding does not explain.
  public var wrongDecisions: [Disagreement] { disagreements.filter { !($0.margin <= Self.tieMargin) } }

  /// What a bundle records at one of its budgets.
  public struct Budget: Sendable {
    public var golden: GoldenVectors
    public var thresholds: Thresholds

    public init(_ golden: GoldenVectors, _ thresholds: Thresholds) {
      self.golden = golden
      self.thresholds = thresholds
    }
  }

  /// Replays the texts of all budgets, each densely and sparsely, in one walk through the model: one layer's weights are
  /// in memory at a time, and then the output head's.
  ///
  /// - Parameter threads: Texts side by side; results do not depend on it.
  /// - Returns: One a budget.
  /// - Throws: What `model` throws.
  /// - Complexity: O(tokens · weights).
  public static func all(
    _ budgets: [Budget], _ model: some SparseWeightSource, threads: Int = 1,
    progress: (_ share: Double) -> Void = { _ in }
  ) throws -> [GoldenReplay] {
    let sparse = budgets.flatMap { budget in budget.golden.texts.map { (text: $0, thresholds: budget.thresholds) } }
    // Densely, thresholds decide nothing: texts that budgets have in common are decoded once.
    let dense = Dictionary(grouping: sparse, by: \.text.tokens).map {
      (tokens: $0, positions: Set($1.flatMap(\.text.positions)), thresholds: $1[0].thresholds)
    }
    let walked = try ReferenceWalk.run(
      dense.map { .init(tokens: $0.tokens, rules: $0.tokens.map { _ in .dense }, thresholds: $0.thresholds) }
        + sparse.map { text, thresholds in
          let rules = text.kept.indices.map { KeepRule.recorded(text.kept[$0], head: text.keptHead?[$0]) }
          return .init(tokens: text.tokens, rules: rules, thresholds: thresholds)
        }, model, threads: threads, progress: progress)
    let head = try model.outputHead()
    let denseLogits = try mapIndices(below: dense.count, threads: threads) { index in
      Dictionary(
        uniqueKeysWithValues: dense[index].positions.map { position in
          var token = walked[index][position]
          return (position, token.logits(head))
        })
    }
    let logits = Dictionary(uniqueKeysWithValues: zip(dense.map(\.tokens), denseLogits))
    let replays = try mapIndices(below: sparse.count, threads: threads) { index in
      var head = head
      head.use(sparse[index].thresholds)
      let text = sparse[index].text
      return GoldenReplay(text, walked[dense.count + index], head, dense: logits[text.tokens] ?? [:])
    }
    progress(1)
    var rest = replays[...]
    return budgets.map { budget in
      let count = budget.golden.texts.count
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count).reduce(into: GoldenReplay()) { $0.add($1) }
    }
  }

  private init() {}

  /// - Parameters:
  ///   - tokens: Those of the text, sparse, behind the last layer.
  ///   - dense: Logits by position.
  private init(
    _ text: GoldenVectors.Text, _ tokens: [ReferenceToken], _ head: SparseModel.Head, dense: [Int: [Float]]
  ) {
    for (position, var token) in tokens.enumerated() {
      let row = text.positions.firstIndex(of: position)
      // A head that is read on demand decides on its rows at every position.
      let logits = row != nil || text.keptHead != nil ? token.logits(head) : []
      disagreements += token.disagreements
      guard let row, let dense = dense[position] else { continue }
      let recorded = row * logits.count..<(row + 1) * logits.count
      denseDifference = max(denseDifference, greatestDifference(dense, text.dense[recorded]))
      sparseDifference = max(sparseDifference, greatestDifference(logits, text.sparse[recorded]))
      sourceDifference = max(sourceDifference, greatestDifference(dense, text.source[recorded]))
    }
    decisions = text.kept.joined().reduce(0) { $0 + $1.count } + (text.keptHead?.joined().count ?? 0)
  }

  private mutating func add(_ other: Self) {
    denseDifference = max(denseDifference, other.denseDifference)
    sparseDifference = max(sparseDifference, other.sparseDifference)
    sourceDifference = max(sourceDifference, other.sourceDifference)
    decisions += other.decisions
    disagreements += other.disagreements
  }
}

/// Infinite where a difference is no number, so that it never passes for small.
func greatestDifference(_ a: [Float], _ b: ArraySlice<Float>) -> Double {
  zip(a, b).reduce(0) { largest, pair in
    let difference = Double((pair.0 - pair.1).magnitude)
    return difference.isNaN ? .infinity : max(largest, difference)
  }
}
