extension Evaluator {
  /// `value is name`
  mutating func test(
    _ name: String, of value: Value, _ arguments: Arguments
  ) throws(ChatTemplateError) -> Bool {
    try budget.spend(4, line: arguments.line)
    let (line, callee) = (arguments.line, Callee(kind: "test", name: name))
    if let relation = Self.relations[name] {
      let other = try arguments.bound(to: "other", required: 1, of: callee)[0] ?? .none
      return try holds(relation, value, other, line: line)
    }
    guard let isPassed = try typeTest(name, value, line: line) else {
      throw .unsupported(line: line, feature: "\(callee)")
    }
    _ = try arguments.bound(of: callee)
    return isPassed
  }

  private static let relations: [String: Relation] = [
    "equalto": .equal, "eq": .equal, "==": .equal, "ne": .notEqual, "!=": .notEqual, "in": .within,
    "lt": .less, "lessthan": .less, "<": .less, "le": .lessOrEqual, "<=": .lessOrEqual,
    "gt": .greater, "greaterthan": .greater, ">": .greater, "ge": .greaterOrEqual, ">=": .greaterOrEqual,
  ]

  /// Tests of a value alone, by Jinja's definitions: a boolean is a number, a dictionary a sequence, and
  /// undefined is iterable. Nil where there is no such test.
  private func typeTest(_ name: String, _ value: Value, line: Int) throws(ChatTemplateError) -> Bool? {
    switch (name, value) {
    case ("defined", .undefined): return false
    case ("defined", _): return true
    case ("undefined", .undefined): return true
    case ("undefined", _): return false
    case ("none", .none): return true
    case ("string", .string): return true
    case ("mapping", .dictionary): return true
    case ("iterable", .string), ("iterable", .sequence), ("iterable", .dictionary), ("iterable", .undefined),
      ("iterable", .loop):
      return true
    case ("sequence", .sequence(let list)): return list.isIndexed
    case ("sequence", .string), ("sequence", .dictionary), ("sequence", .undefined): return true
    case ("number", _): return value.isNumeric
    case ("boolean", .boolean): return true
    case ("true", .boolean(let value)): return value
    case ("false", .boolean(let value)): return !value
    case ("integer", .integer), ("float", .number): return true
    case ("callable", .function), ("callable", .macro), ("callable", .method), ("callable", .undefined): return true
    case ("odd", _), ("even", _):
      guard let number = value.wholeNumber else {
        throw .failed(line: line, problem: "the test '\(name)' takes a whole number, not \(value.summary)")
      }
      return number.isMultiple(of: 2) == (name == "even")
    default: return Self.typeTests.contains(name) ? false : nil
    }
  }

  private static let typeTests: Set = [
    "none", "string", "mapping", "iterable", "sequence", "boolean", "true", "false", "integer", "float", "callable",
  ]
}
