/// Names and what they stand for. Loops, macros and captured blocks have a scope of their own, `if` has
/// none: what is set in a loop is gone after the round, as in Jinja.
final class Scope {
  var variables: [String: Value]
  private let parent: Scope?

  init(_ variables: [String: Value] = [:], within parent: Scope? = nil) {
    self.variables = variables
    self.parent = parent
  }

  /// Complexity: O(scopes around).
  func value(of name: String) -> Value? {
    var scope: Scope? = self
    while let current = scope {
      if let value = current.variables[name] { return value }
      scope = current.parent
    }
    return nil
  }
}
