/// How the tokens of a sequence follow each other: a prefix, and branches that each go on from it and do not see each
/// other. The tokens of all lie in one matrix, the prefix' first, then the branches' one after the other.
///
///     let layout = SequenceLayout(prefix: 3, branches: [2, 1])
///     layout.position(of: 5)  // 3, as that of token 3: each is the first of its branch
///
/// One product a weight matrix then serves several continuations of one text, whose tokens are computed once.
public struct SequenceLayout: Sendable, Equatable {
  /// Tokens that all branches continue.
  public let prefix: Int
  /// Where each branch's tokens lie.
  public let branches: [Range<Int>]

  /// - Parameters:
  ///   - prefix: Its number of tokens.
  ///   - branches: Those of each branch, 0 where one adds nothing.
  public init(prefix: Int, branches: [Int] = []) {
    self.prefix = prefix
    var end = prefix
    self.branches = branches.map { count in
      defer { end += count }
      return end..<end + count
    }
  }

  /// Tokens in all.
  public var count: Int { branches.last?.upperBound ?? prefix }

  /// The place of a token in the text that it is of. Complexity: O(branches).
  public func position(of token: Int) -> Int {
    guard let branch = branches.first(where: { $0.contains(token) }) else { return token }
    return prefix + token - branch.lowerBound
  }
}
