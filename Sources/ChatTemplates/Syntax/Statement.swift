/// A piece of a template as it was parsed.
indirect enum Statement: Sendable {
  case text(String, line: Int)
  case output(Expression)
  case conditional([Branch], otherwise: [Statement])
  case loop(Loop)
  case set(Target, Expression)
  /// `{% set name | filter %}…{% endset %}`
  case capture(Target, Expression, [Statement])
  case macro(Macro)
  /// `{% generation %}`: marks what training learns from, and changes nothing of the text.
  case generation([Statement])
  case leaveLoop
  case nextRound

  struct Branch: Sendable {
    var test: Expression
    var body: [Statement]
  }

  struct Loop: Sendable {
    var target: Target
    var items: Expression
    /// Items for which it is false are left out before the first round.
    var filter: Expression?
    var body: [Statement]
    /// Where there is no item.
    var otherwise: [Statement]
  }

  struct Macro: Sendable {
    struct Parameter: Sendable {
      var name: String
      var initial: Expression?
    }
    var name: String
    var parameters: [Parameter]
    var body: [Statement]
    var line: Int
  }
}

/// What is assigned to.
indirect enum Target: Sendable {
  case name(String)
  /// Of a `namespace`.
  case attribute(String, String, line: Int)
  case tuple([Target], line: Int)

  /// The name that stands for the text of a block in the filters on a block `set`; no source can spell it.
  static let captured = "{captured}"
}
