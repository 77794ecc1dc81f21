/// Cuts a template into text and the tokens of its tags, with the white space control of Jinja's
/// `trim_blocks` and `lstrip_blocks`, which Hugging Face templates are written for:
///
/// - `-` inside a tag's border takes off all white space on that side;
/// - a block tag or comment that is first on its line takes its indentation with it;
/// - and the newline right after it; `+` inside the border prevents either.
///
/// Complexity: O(length of the source).
struct Lexer {
  let scalars: [Unicode.Scalar]
  var position = 0
  var line = 1
  var tokens: [Token] = []
  /// Brackets that wait for their partner: within them `}}` ends no tag.
  var closers: [Symbol] = []

  /// The kinds of tags, by what opens and closes them.
  enum Tag: Character, CaseIterable {
    case print = "{"
    case block = "%"
    case comment = "#"

    var close: [Unicode.Scalar] {
      switch self {
      case .print: ["}", "}"]
      case .block: ["%", "}"]
      case .comment: ["#", "}"]
      }
    }
  }

  static func tokens(of source: String) throws(ChatTemplateError) -> [Token] {
    var lexer = Lexer(source)
    try lexer.run()
    return lexer.tokens
  }

  /// Newlines become `\n` and one at the end is dropped, as in Jinja.
  private init(_ source: String) {
    var scalars: [Unicode.Scalar] = []
    var afterReturn = false
    for scalar in source.unicodeScalars {
      if scalar != "\n" || !afterReturn { scalars.append(scalar == "\r" ? "\n" : scalar) }
      afterReturn = scalar == "\r"
    }
    if scalars.last == "\n" { scalars.removeLast() }
    self.scalars = scalars
  }

  private mutating func run() throws(ChatTemplateError) {
    var startsLine = true
    while let (tag, open) = nextTag() {
      let sign = open + 2 < scalars.count ? scalars[open + 2] : " "
      let hasSign = sign == "-" || sign == "+"
      var end = open
      if sign == "-" {
        while end > position, scalars[end - 1].isPythonSpace { end -= 1 }
      } else if sign != "+", tag != .print {
        end = endWithoutIndentation(before: open, startsLine: startsLine)
      }
      appendText(upTo: end)
      line += scalars[end..<open].count { $0 == "\n" }
      position = open + (hasSign ? 3 : 2)
      switch tag {
      case .comment: try skipComment()
      case .print, .block:
        append(tag == .print ? .printBegin : .blockBegin)
        try code(in: tag)
      }
      startsLine = scalars[position - 1] == "\n"
    }
    appendText(upTo: scalars.count)
    append(.end)
  }

  private func nextTag() -> (Tag, Int)? {
    guard scalars.count >= 2 else { return nil }
    for index in position..<max(position, scalars.count - 1) where scalars[index] == "{" {
      if let tag = Tag(rawValue: Character(scalars[index + 1])) { return (tag, index) }
    }
    return nil
  }

  /// Where text before a block tag ends: before the tag's indentation if nothing else is on the line.
  private func endWithoutIndentation(before open: Int, startsLine: Bool) -> Int {
    var start = open
    while start > position, scalars[start - 1] != "\n" {
      guard scalars[start - 1].isPythonSpace else { return open }
      start -= 1
    }
    return start > position || startsLine ? start : open
  }

  private mutating func appendText(upTo end: Int) {
    guard position < end else { return }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars[position..<end])
    append(.text(String(text)))
    line += scalars[position..<end].count { $0 == "\n" }
  }

  mutating func append(_ kind: Token.Kind) { tokens.append(Token(kind: kind, line: line)) }

  private mutating func skipComment() throws(ChatTemplateError) {
    let first = line
    let start = position
    while position < scalars.count {
      guard !finds(Tag.comment.close, at: position) else {
        let sign = position > start ? scalars[position - 1] : " "
        return close(.comment, sign: sign)
      }
      advance()
    }
    throw .syntax(line: first, problem: "a comment has no end '#}'")
  }

  /// Reads a tag's border and the white space after it that goes with it.
  mutating func close(_ tag: Tag, sign: Unicode.Scalar) {
    position += tag.close.count
    if sign == "-" {
      while position < scalars.count, scalars[position].isPythonSpace { advance() }
    } else if sign != "+", tag != .print, position < scalars.count, scalars[position] == "\n" {
      advance()
    }
  }

  func finds(_ wanted: [Unicode.Scalar], at index: Int) -> Bool {
    index + wanted.count <= scalars.count && scalars[index..<index + wanted.count].elementsEqual(wanted)
  }

  mutating func advance() {
    if scalars[position] == "\n" { line += 1 }
    position += 1
  }
}
