extension Lexer {
  /// The tokens of a tag, up to and with its border.
  mutating func code(in tag: Tag) throws(ChatTemplateError) {
    let first = line
    closers = []
    while position < scalars.count {
      if closers.isEmpty, try closes(tag) { return }
      let scalar = scalars[position]
      if scalar.isPythonSpace {
        advance()
      } else if scalar == "'" || scalar == "\"" {
        try string(quote: scalar)
      } else if scalar.isDigit {
        try number()
      } else if scalar.beginsName {
        name()
      } else {
        try symbol()
      }
    }
    throw .syntax(line: first, problem: "'\(tag == .print ? "{{" : "{%")' has no end")
  }

  private mutating func closes(_ tag: Tag) throws(ChatTemplateError) -> Bool {
    var sign: Unicode.Scalar = " "
    if !finds(tag.close, at: position) {
      sign = scalars[position]
      guard sign == "-" || (sign == "+" && tag == .block), finds(tag.close, at: position + 1) else { return false }
      position += 1
    }
    append(tag == .print ? .printEnd : .blockEnd)
    close(tag, sign: sign)
    return true
  }

  private mutating func name() {
    var text = String.UnicodeScalarView()
    while position < scalars.count, scalars[position].beginsName || scalars[position].isDigit {
      text.append(scalars[position])
      position += 1
    }
    append(.name(String(text)))
  }

  private mutating func symbol() throws(ChatTemplateError) {
    // Two scalars before one: the cases stand in that order.
    let found = Symbol.allCases.first { finds(Array($0.rawValue.unicodeScalars), at: position) }
    guard let found else {
      throw .syntax(line: line, problem: "\(String(scalars[position]).debugDescription) has no meaning in a tag")
    }
    switch found {
    case .leftParenthesis: closers.append(.rightParenthesis)
    case .leftBracket: closers.append(.rightBracket)
    case .leftBrace: closers.append(.rightBrace)
    case .rightParenthesis, .rightBracket, .rightBrace:
      guard closers.popLast() == found else {
        throw .syntax(line: line, problem: "'\(found.rawValue)' closes nothing")
      }
    default: break
    }
    append(.symbol(found))
    position += found.rawValue.unicodeScalars.count
  }

  /// `12`, `1_000`, `1.5`, `2e3`; after a dot, as in `pair.0`, digits alone.
  private mutating func number() throws(ChatTemplateError) {
    let start = position
    var isWhole = true
    func digits(from index: Int) -> Int {
      var end = index
      while end < scalars.count, scalars[end].isDigit || (scalars[end] == "_" && end > index) { end += 1 }
      return end
    }
    position = digits(from: position)
    if tokens.last?.kind != .symbol(.dot) {
      if finds(["."], at: position), digits(from: position + 1) > position + 1 {
        position = digits(from: position + 1)
        isWhole = false
      }
      if finds(["e"], at: position) || finds(["E"], at: position) {
        let sign = finds(["+"], at: position + 1) || finds(["-"], at: position + 1) ? 1 : 0
        let end = digits(from: position + 1 + sign)
        if end > position + 1 + sign {
          position = end
          isWhole = false
        }
      }
    }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars[start..<position].filter { $0 != "_" })
    let text = String(view)
    if isWhole {
      guard let value = Int(text) else { throw .unsupported(line: line, feature: "the number \(text.prefix(40))") }
      append(.integer(value))
    } else {
      guard let value = Double(text) else { throw .syntax(line: line, problem: "\(text.prefix(40)) is no number") }
      append(.number(value))
    }
  }
}

extension Unicode.Scalar {
  var isDigit: Bool { ("0"..."9").contains(self) }
  var beginsName: Bool { self == "_" || properties.isAlphabetic }

  /// What Python's `str.isspace` and regular expressions take for white space.
  var isPythonSpace: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }
}
