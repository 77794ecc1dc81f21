/// A question with choices, as a task's file has it.
public struct Question: Sendable, Equatable {
  /// One for all choices, or one each.
  public var contexts: [String]
  /// One each, or one for all choices.
  public var continuations: [String]
  /// The right choice, counted from 0.
  public var gold: Int
  /// Where it stands in its file, counted from 1.
  public var line: Int

  public init(contexts: [String], continuations: [String], gold: Int, line: Int) {
    self.contexts = contexts
    self.continuations = continuations
    self.gold = gold
    self.line = line
  }

  public var choices: Range<Int> { 0..<max(contexts.count, continuations.count) }

  public func context(_ choice: Int) -> String { contexts[contexts.count == 1 ? 0 : choice] }
  public func continuation(_ choice: Int) -> String { continuations[continuations.count == 1 ? 0 : choice] }

  /// What a choice's log-likelihood is divided by for `acc_norm`: the bytes of its continuation as UTF-8, but for one
  /// leading space.
  public func length(_ choice: Int) -> Int {
    let text = continuation(choice)
    return text.utf8.count - (text.hasPrefix(" ") ? 1 : 0)
  }
}
