/// Turns a template's tokens into statements, by the grammar of Jinja 3.1.
///
/// Recursive descent. Whatever Jinja has and this parser hasn't is refused by name, so that no template
/// is read as something else than what its author wrote.
///
/// Complexity: O(tokens).
struct Parser {
  private let tokens: [Token]
  private var position = 0
  private var nesting = 0
  /// Loops around what is being parsed, as far as `break` reaches.
  var loops = 0

  static func statements(of source: String) throws(ChatTemplateError) -> [Statement] {
    guard source.utf8.count <= Budget.sourceLimit else { throw .limit(line: 1, what: "1 MiB of source") }
    var parser = Parser(tokens: try Lexer.tokens(of: source))
    return try parser.body(endingAt: [])
  }

  private init(tokens: [Token]) { self.tokens = tokens }

  // MARK: Tokens

  var current: Token.Kind { tokens[position].kind }
  var line: Int { tokens[position].line }
  var next: Token.Kind { tokens[min(position + 1, tokens.count - 1)].kind }

  mutating func advance() { if position < tokens.count - 1 { position += 1 } }

  func isAt(_ symbol: Symbol) -> Bool { current == .symbol(symbol) }
  func isAt(name: String) -> Bool { current == .name(name) }

  mutating func skip(_ symbol: Symbol) -> Bool {
    guard isAt(symbol) else { return false }
    advance()
    return true
  }

  mutating func skip(name: String) -> Bool {
    guard isAt(name: name) else { return false }
    advance()
    return true
  }

  mutating func expect(_ kind: Token.Kind) throws(ChatTemplateError) {
    guard current == kind else { throw unexpected(kind.summary) }
    advance()
  }

  mutating func name() throws(ChatTemplateError) -> String {
    guard case .name(let name) = current else { throw unexpected("a name") }
    advance()
    return name
  }

  func unexpected(_ expected: String) -> ChatTemplateError {
    .syntax(line: line, problem: "\(expected) is expected, not \(current.summary)")
  }

  // MARK: Nesting

  /// Goes one level deeper while `body` parses.
  mutating func nested<Result>(
    _ body: (inout Parser) throws(ChatTemplateError) -> Result
  ) throws(ChatTemplateError) -> Result {
    guard nesting < Budget.nestingLimit else { throw .limit(line: line, what: "\(Budget.nestingLimit) levels") }
    nesting += 1
    defer { nesting -= 1 }
    return try body(&self)
  }

  /// An expression, which must not be too deep a tree: long chains nest without a parenthesis.
  func make(_ kind: Expression.Kind, line: Int) throws(ChatTemplateError) -> Expression {
    let expression = Expression(kind, line: line)
    guard expression.depth <= Budget.nestingLimit else {
      throw .limit(line: line, what: "\(Budget.nestingLimit) levels")
    }
    return expression
  }
}
