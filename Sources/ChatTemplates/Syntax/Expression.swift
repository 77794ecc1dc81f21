/// An expression as it was parsed.
struct Expression: Sendable {
  indirect enum Kind: Sendable {
    case none
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case name(String)
    case list([Expression])
    case tuple([Expression])
    case dictionary([Pair])
    case negative(Expression)
    case positive(Expression)
    case not(Expression)
    case and(Expression, Expression)
    case or(Expression, Expression)
    case arithmetic(Arithmetic, Expression, Expression)
    /// `a ~ b ~ c`
    case concatenation([Expression])
    /// `a < b <= c`
    case comparison(Expression, [Compared])
    case conditional(Expression, then: Expression, otherwise: Expression?)
    case attribute(Expression, String)
    case item(Expression, Expression)
    case slice(Expression, [Expression?])
    case call(Expression, Arguments)
    case filter(Expression, String, Arguments)
    case test(Expression, String, Arguments)
  }

  struct Pair: Sendable {
    var key: Expression
    var value: Expression
  }

  struct Compared: Sendable {
    var relation: Relation
    var with: Expression
  }

  struct Arguments: Sendable {
    struct Named: Sendable {
      var name: String
      var value: Expression
    }
    var positional: [Expression] = []
    var named: [Named] = []
  }

  let kind: Kind
  let line: Int
  /// Of the tree under it, itself included.
  let depth: Int

  init(_ kind: Kind, line: Int) {
    self.kind = kind
    self.line = line
    depth = 1 + (kind.children.map(\.depth).max() ?? 0)
  }
}

enum Arithmetic: Character {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case floorDivide = "÷"
  case modulo = "%"
}

enum Relation {
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual, within, notWithin
}

extension Expression.Kind {
  var children: [Expression] {
    switch self {
    case .none, .boolean, .integer, .number, .string, .name: []
    case .list(let items), .tuple(let items), .concatenation(let items): items
    case .dictionary(let pairs): pairs.flatMap { [$0.key, $0.value] }
    case .negative(let value), .positive(let value), .not(let value), .attribute(let value, _): [value]
    case .and(let left, let right), .or(let left, let right), .arithmetic(_, let left, let right),
      .item(let left, let right):
      [left, right]
    case .comparison(let first, let rest): [first] + rest.map(\.with)
    case .conditional(let test, let then, let otherwise): [test, then] + (otherwise.map { [$0] } ?? [])
    case .slice(let value, let bounds): [value] + bounds.compactMap(\.self)
    case .call(let value, let arguments), .filter(let value, _, let arguments), .test(let value, _, let arguments):
      [value] + arguments.positional + arguments.named.map(\.value)
    }
  }
}
