extension Evaluator {
  /// - Throws: `ChatTemplateError` where Python would raise, or where Gambit stands back.
  mutating func evaluate(_ expression: Expression) throws(ChatTemplateError) -> Value {
    try deeper(line: expression.line) { evaluator throws(ChatTemplateError) in
      try evaluator.value(of: expression)
    }
  }

  private mutating func value(of expression: Expression) throws(ChatTemplateError) -> Value {
    let line = expression.line
    switch expression.kind {
    case .none: return .none
    case .boolean(let value): return .boolean(value)
    case .integer(let value): return .integer(value)
    case .number(let value): return .number(value)
    case .string(let text): return .string(text)
    case .name(let name): return try variable(name, line: line)
    case .list(let items): return .sequence(try list(evaluate(items), line: line))
    case .tuple(let items): return .sequence(try list(evaluate(items), .tuple, line: line))
    case .dictionary(let pairs): return try dictionary(pairs, line: line)
    case .negative(let operand): return try negated(evaluate(operand), line: line)
    case .positive(let operand):
      return try arithmetic(.add, .integer(0), numeric(evaluate(operand), "+", line: line), line: line)
    case .not(let operand): return .boolean(try !evaluate(operand).isTrue)
    case .and(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? try evaluate(right) : value
    case .or(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? value : try evaluate(right)
    case .arithmetic(let operation, let left, let right):
      return try arithmetic(operation, evaluate(left), evaluate(right), line: line)
    case .concatenation(let parts): return .string(try concatenation(of: parts))
    case .comparison(let first, let rest): return try comparison(first, rest, line: line)
    case .conditional(let test, let then, let otherwise):
      if try evaluate(test).isTrue { return try evaluate(then) }
      return try otherwise.map { other throws(ChatTemplateError) in try evaluate(other) } ?? .undefined("else")
    case .attribute(let value, let name): return try attribute(name, of: evaluate(value), line: line)
    case .item(let value, let key): return try item(evaluate(key), of: evaluate(value), line: line)
    case .slice(let value, let bounds): return try slice(of: evaluate(value), bounds, line: line)
    case .call(let callee, let arguments): return try call(evaluate(callee), evaluate(arguments, line: line))
    case .filter(let value, let name, let arguments):
      return try filter(name, on: evaluate(value), evaluate(arguments, line: line))
    case .test(let value, let name, let arguments):
      return .boolean(try test(name, of: evaluate(value), evaluate(arguments, line: line)))
    }
  }

  private mutating func variable(_ name: String, line: Int) throws(ChatTemplateError) -> Value {
    if let value = scope.value(of: name) ?? Function(rawValue: name).map(Value.function) { return value }
    if ["lipsum", "cycler", "joiner"].contains(name) { throw .unsupported(line: line, feature: "'\(name)'") }
    return .undefined(name)
  }

  private mutating func evaluate(_ expressions: [Expression]) throws(ChatTemplateError) -> [Value] {
    var values: [Value] = []
    for expression in expressions { values.append(try evaluate(expression)) }
    return values
  }

  private mutating func evaluate(
    _ arguments: Expression.Arguments, line: Int
  ) throws(ChatTemplateError) -> Arguments {
    var named: [(String, Value)] = []
    for argument in arguments.named { named.append((argument.name, try evaluate(argument.value))) }
    return Arguments(positional: try evaluate(arguments.positional), named: named, line: line)
  }

  private mutating func dictionary(_ pairs: [Expression.Pair], line: Int) throws(ChatTemplateError) -> Value {
    var members: [(key: Key, name: Value, value: Value)] = []
    for pair in pairs {
      let name = try evaluate(pair.key)
      members.append((try key(name, line: line), name, try evaluate(pair.value)))
    }
    return .dictionary(try checked(Mapping(members), line: line))
  }

  private mutating func concatenation(of parts: [Expression]) throws(ChatTemplateError) -> String {
    var text = ""
    for part in parts {
      text += try self.text(of: evaluate(part), line: part.line)
      try budget.spend(bytes: text.utf8.count, line: part.line)
    }
    return text
  }

  /// `a < b < c` compares as long as it holds.
  private mutating func comparison(
    _ first: Expression, _ rest: [Expression.Compared], line: Int
  ) throws(ChatTemplateError) -> Value {
    var left = try evaluate(first)
    for compared in rest {
      let right = try evaluate(compared.with)
      guard try holds(compared.relation, left, right, line: line) else { return .boolean(false) }
      left = right
    }
    return .boolean(true)
  }

  // MARK: Containers within their limits

  mutating func list(
    _ items: [Value], _ kind: List.Kind = .list, line: Int
  ) throws(ChatTemplateError) -> List {
    try budget.spend(items: items.count, line: line)
    let list = List(items, kind)
    try check(depth: list.depth, line: line)
    return list
  }

  mutating func checked(_ mapping: Mapping, line: Int) throws(ChatTemplateError) -> Mapping {
    try budget.spend(items: 2 * mapping.keys.count, line: line)
    try check(depth: mapping.depth, line: line)
    return mapping
  }

  private func check(depth: Int, line: Int) throws(ChatTemplateError) {
    guard depth <= Budget.nestingLimit else {
      throw .limit(line: line, what: "\(Budget.nestingLimit) lists in each other")
    }
  }

  mutating func key(_ value: Value, line: Int) throws(ChatTemplateError) -> Key {
    if case .string(let text) = value { try budget.spend(bytes: text.utf8.count, line: line) }
    guard let key = Key(value) else {
      throw .failed(line: line, problem: "\(value.summary) can't be a dictionary's key")
    }
    return key
  }
}
