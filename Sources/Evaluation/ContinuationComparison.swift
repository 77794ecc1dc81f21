/// Two greedy continuations of one prompt: what the dense model says, and what another says in its place.
///
/// A model can keep its task scores while its text falls apart; this looks at the text.
public struct ContinuationComparison: Sendable, Equatable {
  /// Tokens behind the prompt, in order; fewer than were asked for where the model ended the text.
  public let dense: [Int32]
  public let sparse: [Int32]

  public init(dense: [Int32], sparse: [Int32]) {
    self.dense = dense
    self.sparse = sparse
  }

  /// Positions of the longer one.
  public var length: Int { max(dense.count, sparse.count) }

  /// Tokens up to the first one that differs.
  public var equalPrefix: Int { zip(dense, sparse).prefix { $0 == $1 }.count }

  /// The share of positions that hold the same token in both. One that only one of them has is not the same; two empty
  /// ones are.
  public var equalShare: Double { length == 0 ? 1 : Double(zip(dense, sparse).count { $0 == $1 }) / Double(length) }

  /// The share of positions up to the first that differs.
  public var equalPrefixShare: Double { length == 0 ? 1 : Double(equalPrefix) / Double(length) }

  /// Of the runs of four tokens next to each other, the share that occurs earlier in the same text; 0 of fewer tokens.
  ///
  /// - Complexity: O(tokens).
  public static func repetition(of tokens: [Int32]) -> Double {
    let runs = tokens.indices.dropLast(3).map { Array(tokens[$0..<$0 + 4]) }
    return runs.isEmpty ? 0 : Double(runs.count - Set(runs).count) / Double(runs.count)
  }
}
