extension Parser {
  /// A name, a literal, or what stands in parentheses.
  mutating func primary() throws(ChatTemplateError) -> Expression {
    let line = line
    let token = current
    advance()
    switch token {
    case .name("true"), .name("True"): return try make(.boolean(true), line: line)
    case .name("false"), .name("False"): return try make(.boolean(false), line: line)
    case .name("none"), .name("None"): return try make(.none, line: line)
    case .name(let name): return try make(.name(name), line: line)
    case .integer(let value): return try make(.integer(value), line: line)
    case .number(let value): return try make(.number(value), line: line)
    case .string(var text):
      while case .string(let more) = current {
        text += more
        advance()
      }
      return try make(.string(text), line: line)
    case .symbol(.leftParenthesis):
      if skip(.rightParenthesis) { return try make(.tuple([]), line: line) }
      let value = try nested { parser throws(ChatTemplateError) in try parser.tuple() }
      try expect(.symbol(.rightParenthesis))
      return value
    case .symbol(.leftBracket):
      return try make(.list(items(until: .rightBracket)), line: line)
    case .symbol(.leftBrace):
      return try make(.dictionary(pairs()), line: line)
    default:
      throw .syntax(line: line, problem: "an expression is expected, not \(token.summary)")
    }
  }

  private mutating func items(until close: Symbol) throws(ChatTemplateError) -> [Expression] {
    var items: [Expression] = []
    while !isAt(close) {
      if !items.isEmpty { try expect(.symbol(.comma)) }
      if isAt(close) { break }
      items.append(try expression())
    }
    advance()
    return items
  }

  private mutating func pairs() throws(ChatTemplateError) -> [Expression.Pair] {
    var pairs: [Expression.Pair] = []
    while !isAt(.rightBrace) {
      if !pairs.isEmpty { try expect(.symbol(.comma)) }
      if isAt(.rightBrace) { break }
      let key = try expression()
      try expect(.symbol(.colon))
      pairs.append(.init(key: key, value: try expression()))
    }
    advance()
    return pairs
  }

  /// Attributes, subscripts and calls that follow a value.
  mutating func postfix(_ value: Expression) throws(ChatTemplateError) -> Expression {
    var value = value
    while case .symbol(let symbol) = current {
      let line = line
      switch symbol {
      case .dot:
        advance()
        if case .integer(let index) = current {
          advance()
          value = try make(.item(value, make(.integer(index), line: line)), line: line)
        } else {
          value = try make(.attribute(value, name()), line: line)
        }
      case .leftBracket:
        advance()
        value = try subscripted(value, line: line)
      case .leftParenthesis:
        value = try make(.call(value, arguments()), line: line)
      default:
        return value
      }
    }
    return value
  }

  private mutating func subscripted(_ value: Expression, line: Int) throws(ChatTemplateError) -> Expression {
    var bounds: [Expression?] = []
    while true {
      let bound = isAt(.colon) || isAt(.rightBracket) ? nil : try expression()
      bounds.append(bound)
      guard bounds.count < 3, skip(.colon) else { break }
    }
    if isAt(.comma) { throw .unsupported(line: line, feature: "a subscript of several values") }
    try expect(.symbol(.rightBracket))
    if bounds.count > 1 { return try make(.slice(value, bounds), line: line) }
    guard let index = bounds[0] else { throw .syntax(line: line, problem: "a subscript is empty") }
    return try make(.item(value, index), line: line)
  }

  /// From the opening parenthesis to the closing one.
  mutating func arguments() throws(ChatTemplateError) -> Expression.Arguments {
    var arguments = Expression.Arguments()
    try expect(.symbol(.leftParenthesis))
    var isFirst = true
    while !isAt(.rightParenthesis) {
      if !isFirst { try expect(.symbol(.comma)) }
      if isAt(.rightParenthesis) { break }
      isFirst = false
      if isAt(.times) || isAt(.power) { throw .unsupported(line: line, feature: "arguments out of a list ('*')") }
      if case .name(let name) = current, next == .symbol(.assign) {
        advance()
        advance()
        arguments.named.append(.init(name: name, value: try expression()))
      } else {
        guard arguments.named.isEmpty else {
          throw .syntax(line: line, problem: "an argument without a name follows one with a name")
        }
        arguments.positional.append(try expression())
      }
    }
    advance()
    return arguments
  }

  /// Filters and tests on a value; `alone` where they follow a block `set`, which tests can't.
  mutating func filters(on value: Expression, alone: Bool) throws(ChatTemplateError) -> Expression {
    var value = value
    while true {
      let line = line
      if skip(.pipe) {
        let name = try dottedName()
        value = try make(.filter(value, name, isAt(.leftParenthesis) ? arguments() : .init()), line: line)
      } else if !alone, skip(name: "is") {
        value = try test(of: value, line: line)
      } else if !alone, isAt(.leftParenthesis) {
        value = try make(.call(value, arguments()), line: line)
      } else {
        return value
      }
    }
  }

  private mutating func dottedName() throws(ChatTemplateError) -> String {
    var name = try name()
    while skip(.dot) { name += "." + (try self.name()) }
    return name
  }

  private mutating func test(of value: Expression, line: Int) throws(ChatTemplateError) -> Expression {
    let isNegated = skip(name: "not")
    let name = try dottedName()
    var arguments = Expression.Arguments()
    switch current {
    case .symbol(.leftParenthesis):
      arguments = try self.arguments()
    case .name("else"), .name("or"), .name("and"):
      break
    case .name("is"):
      throw .syntax(line: line, problem: "tests with 'is' can't be chained")
    case .name, .string, .integer, .number, .symbol(.leftBracket), .symbol(.leftBrace):
      arguments.positional = [try postfix(primary())]
    default:
      break
    }
    let test = try make(.test(value, name, arguments), line: line)
    return isNegated ? try make(.not(test), line: line) : test
  }
}
