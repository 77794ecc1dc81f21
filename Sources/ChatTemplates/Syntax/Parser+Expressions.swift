extension Parser {
  /// One expression, or several with commas between them, which make a tuple.
  mutating func tuple(allowingConditional: Bool = true) throws(ChatTemplateError) -> Expression {
    let line = line
    var items: [Expression] = []
    var isTuple = false
    while !endsTuple {
      items.append(try allowingConditional ? expression() : disjunction())
      guard skip(.comma) else { break }
      isTuple = true
    }
    guard isTuple || items.count == 1 else { throw unexpected("an expression") }
    return isTuple ? try make(.tuple(items), line: line) : items[0]
  }

  private var endsTuple: Bool {
    switch current {
    case .printEnd, .blockEnd, .end, .symbol(.rightParenthesis): true
    default: false
    }
  }

  /// `a if test else b`, and all that binds tighter.
  mutating func expression() throws(ChatTemplateError) -> Expression {
    try nested { parser throws(ChatTemplateError) in
      var value = try parser.disjunction()
      while parser.isAt(name: "if") {
        let line = parser.line
        parser.advance()
        let test = try parser.disjunction()
        let otherwise = parser.skip(name: "else") ? try parser.expression() : nil
        value = try parser.make(.conditional(test, then: value, otherwise: otherwise), line: line)
      }
      return value
    }
  }

  mutating func disjunction() throws(ChatTemplateError) -> Expression {
    var left = try conjunction()
    while isAt(name: "or") {
      let line = line
      advance()
      left = try make(.or(left, conjunction()), line: line)
    }
    return left
  }

  private mutating func conjunction() throws(ChatTemplateError) -> Expression {
    var left = try negation()
    while isAt(name: "and") {
      let line = line
      advance()
      left = try make(.and(left, negation()), line: line)
    }
    return left
  }

  private mutating func negation() throws(ChatTemplateError) -> Expression {
    let line = line
    guard skip(name: "not") else { return try comparison() }
    return try nested { parser throws(ChatTemplateError) in try parser.make(.not(parser.negation()), line: line) }
  }

  private mutating func comparison() throws(ChatTemplateError) -> Expression {
    let line = line
    let first = try arithmetic(Self.sums)
    var rest: [Expression.Compared] = []
    while let relation = relation() {
      rest.append(.init(relation: relation, with: try arithmetic(Self.sums)))
    }
    return rest.isEmpty ? first : try make(.comparison(first, rest), line: line)
  }

  private mutating func relation() -> Relation? {
    let relation: Relation
    switch (current, next) {
    case (.symbol(.equal), _): relation = .equal
    case (.symbol(.notEqual), _): relation = .notEqual
    case (.symbol(.less), _): relation = .less
    case (.symbol(.lessOrEqual), _): relation = .lessOrEqual
    case (.symbol(.greater), _): relation = .greater
    case (.symbol(.greaterOrEqual), _): relation = .greaterOrEqual
    case (.name("in"), _): relation = .within
    case (.name("not"), .name("in")):
      relation = .notWithin
      advance()
    default: return nil
    }
    advance()
    return relation
  }

  private static let sums: [Symbol: Arithmetic] = [.plus: .add, .minus: .subtract]
  private static let products: [Symbol: Arithmetic] = [
    .times: .multiply, .divide: .divide, .floorDivide: .floorDivide, .modulo: .modulo,
  ]

  /// `a + b`, where `~` binds tighter, and `a * b` yet tighter.
  private mutating func arithmetic(_ operators: [Symbol: Arithmetic]) throws(ChatTemplateError) -> Expression {
    let isSum = operators[.plus] != nil
    var left = try isSum ? concatenation() : unary()
    while case .symbol(let symbol) = current {
      if symbol == .power { throw .unsupported(line: line, feature: "the operator '**'") }
      guard let operation = operators[symbol] else { break }
      let line = line
      advance()
      left = try make(.arithmetic(operation, left, isSum ? concatenation() : unary()), line: line)
    }
    return left
  }

  private mutating func concatenation() throws(ChatTemplateError) -> Expression {
    let line = line
    var parts = [try arithmetic(Self.products)]
    while skip(.tilde) { parts.append(try arithmetic(Self.products)) }
    return parts.count == 1 ? parts[0] : try make(.concatenation(parts), line: line)
  }

  /// A sign takes what it stands before without filters: `-a|abs` is `(-a)|abs`.
  private mutating func unary(withFilters: Bool = true) throws(ChatTemplateError) -> Expression {
    let line = line
    var value: Expression
    if isAt(.minus) || isAt(.plus) {
      let isNegative = isAt(.minus)
      advance()
      value = try nested { parser throws(ChatTemplateError) in
        let operand = try parser.unary(withFilters: false)
        return try parser.make(isNegative ? .negative(operand) : .positive(operand), line: line)
      }
    } else {
      value = try primary()
    }
    value = try postfix(value)
    return withFilters ? try filters(on: value, alone: false) : value
  }
}
