extension Parser {
  /// Statements up to a block that begins with one of the names, which stays the current token; up to
  /// the end of the template where there are none.
  mutating func body(endingAt ends: [String]) throws(ChatTemplateError) -> [Statement] {
    var statements: [Statement] = []
    while true {
      switch current {
      case .text(let text):
        statements.append(.text(text, line: line))
        advance()
      case .printBegin:
        advance()
        statements.append(.output(try tuple()))
        try expect(.printEnd)
      case .blockBegin:
        if case .name(let name) = next, ends.contains(name) {
          advance()
          return statements
        }
        advance()
        let statement = try nested { parser throws(ChatTemplateError) in try parser.statement() }
        try expect(.blockEnd)
        statements.append(statement)
      case .end where ends.isEmpty:
        return statements
      default:
        throw unexpected(ends.last.map { "'{% \($0) %}'" } ?? "a statement")
      }
    }
  }

  /// Up to the border of its last tag.
  private mutating func statement() throws(ChatTemplateError) -> Statement {
    let line = line
    switch try name() {
    case "if": return try conditional()
    case "for": return try loop()
    case "set": return try set()
    case "macro": return try macro(line: line)
    case "generation":
      try expect(.blockEnd)
      return .generation(try isolated { parser throws(ChatTemplateError) in try parser.body(until: "endgeneration") })
    case let name where name == "break" || name == "continue":
      guard loops > 0 else { throw .syntax(line: line, problem: "'\(name)' belongs in a loop") }
      return name == "break" ? .leaveLoop : .nextRound
    case let name where Self.foreign.contains(name): throw .unsupported(line: line, feature: "'{% \(name) %}'")
    case let name: throw .syntax(line: line, problem: "there is no statement '\(name)'")
    }
  }

  /// What Jinja knows beyond the statements above.
  private static let foreign: Set = [
    "autoescape", "block", "call", "debug", "do", "extends", "filter", "from", "import", "include", "pluralize",
    "print",
    "raw", "trans", "with",
  ]

  /// A body and the name of the block that ends it.
  private mutating func body(until end: String) throws(ChatTemplateError) -> [Statement] {
    let body = try body(endingAt: [end])
    advance()
    return body
  }

  /// Parses what no `break` leaves, although it may stand in a loop.
  private mutating func isolated(
    _ parse: (inout Parser) throws(ChatTemplateError) -> [Statement]
  ) throws(ChatTemplateError) -> [Statement] {
    let outer = loops
    loops = 0
    defer { loops = outer }
    return try parse(&self)
  }

  private mutating func conditional() throws(ChatTemplateError) -> Statement {
    var branches: [Statement.Branch] = []
    repeat {
      let test = try tuple(allowingConditional: false)
      try expect(.blockEnd)
      branches.append(Statement.Branch(test: test, body: try body(endingAt: ["elif", "else", "endif"])))
    } while skip(name: "elif")
    guard skip(name: "else") else {
      advance()
      return .conditional(branches, otherwise: [])
    }
    try expect(.blockEnd)
    return .conditional(branches, otherwise: try body(until: "endif"))
  }

  private mutating func loop() throws(ChatTemplateError) -> Statement {
    let target = try target(allowingAttribute: false)
    try expect(.name("in"))
    let items = try tuple(allowingConditional: false)
    let filter = skip(name: "if") ? try expression() : nil
    if isAt(name: "recursive") { throw .unsupported(line: line, feature: "a recursive loop") }
    try expect(.blockEnd)
    loops += 1
    let rounds = try body(endingAt: ["else", "endfor"])
    loops -= 1
    var otherwise: [Statement] = []
    if skip(name: "else") {
      try expect(.blockEnd)
      otherwise = try body(endingAt: ["endfor"])
    }
    advance()
    return .loop(.init(target: target, items: items, filter: filter, body: rounds, otherwise: otherwise))
  }

  private mutating func set() throws(ChatTemplateError) -> Statement {
    let target = try target(allowingAttribute: true)
    if skip(.assign) { return .set(target, try tuple()) }
    let value = try filters(on: make(.name(Target.captured), line: line), alone: true)
    try expect(.blockEnd)
    return .capture(target, value, try body(until: "endset"))
  }

  private mutating func target(allowingAttribute: Bool) throws(ChatTemplateError) -> Target {
    let line = line
    var targets: [Target] = []
    var isTuple = false
    repeat {
      if skip(.leftParenthesis) {
        targets.append(
          try nested { parser throws(ChatTemplateError) in try parser.target(allowingAttribute: false) })
        try expect(.symbol(.rightParenthesis))
      } else {
        let name = try name()
        guard !Self.constants.contains(name) else { throw .syntax(line: line, problem: "'\(name)' can't be assigned") }
        let isAttribute = allowingAttribute && skip(.dot)
        targets.append(isAttribute ? .attribute(name, try self.name(), line: line) : .name(name))
      }
      guard skip(.comma) else { break }
      isTuple = true
    } while current != .name("in") && !isAt(.assign) && !isAt(.rightParenthesis) && current != .blockEnd
    return isTuple ? .tuple(targets, line: line) : targets[0]
  }

  private static let constants: Set = ["true", "True", "false", "False", "none", "None"]

  private mutating func macro(line: Int) throws(ChatTemplateError) -> Statement {
    let name = try name()
    var parameters: [Statement.Macro.Parameter] = []
    try expect(.symbol(.leftParenthesis))
    while !isAt(.rightParenthesis) {
      if !parameters.isEmpty { try expect(.symbol(.comma)) }
      let parameter = try self.name()
      let initial = skip(.assign) ? try expression() : nil
      if initial == nil, parameters.last?.initial != nil {
        throw .syntax(line: self.line, problem: "the parameter '\(parameter)' needs a default, as the one before it")
      }
      parameters.append(.init(name: parameter, initial: initial))
    }
    advance()
    try expect(.blockEnd)
    let body = try isolated { parser throws(ChatTemplateError) in try parser.body(until: "endmacro") }
    return .macro(.init(name: name, parameters: parameters, body: body, line: line))
  }
}
