extension Lexer {
  /// A quoted string with Python's escapes; an escape that Python doesn't know stands for itself.
  mutating func string(quote: Unicode.Scalar) throws(ChatTemplateError) {
    let first = line
    var text = String.UnicodeScalarView()
    position += 1
    while position < scalars.count {
      let scalar = scalars[position]
      advance()
      if scalar == quote {
        tokens.append(Token(kind: .string(String(text)), line: first))
        return
      }
      if scalar == "\\", position < scalars.count {
        try escape(into: &text)
      } else {
        text.append(scalar)
      }
    }
    throw .syntax(line: first, problem: "a string has no end")
  }

  private mutating func escape(into text: inout String.UnicodeScalarView) throws(ChatTemplateError) {
    let letter = scalars[position]
    advance()
    switch letter {
    case "\n": break
    case "\\", "'", "\"": text.append(letter)
    case "a": text.append("\u{7}")
    case "b": text.append("\u{8}")
    case "f": text.append("\u{C}")
    case "n": text.append("\n")
    case "r": text.append("\r")
    case "t": text.append("\t")
    case "v": text.append("\u{B}")
    case "x": text.append(try code(digits: 2...2, radix: 16))
    case "u": text.append(try code(digits: 4...4, radix: 16))
    case "U": text.append(try code(digits: 8...8, radix: 16))
    case "0"..."7":
      position -= 1
      text.append(try code(digits: 1...3, radix: 8))
    case "N": throw .unsupported(line: line, feature: "the escape \\N in a string")
    default:
      text.append("\\")
      text.append(letter)
    }
  }

  private mutating func code(digits: ClosedRange<Int>, radix: Int) throws(ChatTemplateError) -> Unicode.Scalar {
    var value: UInt32 = 0
    var count = 0
    while count < digits.upperBound, position < scalars.count,
      let digit = Character(scalars[position]).hexDigitValue, digit < radix
    {
      (value, count) = (value << (radix == 16 ? 4 : 3) | UInt32(digit), count + 1)
      position += 1
    }
    guard count >= digits.lowerBound, let scalar = Unicode.Scalar(value) else {
      throw .syntax(line: line, problem: "a string has an escape that is no Unicode scalar")
    }
    return scalar
  }
}
