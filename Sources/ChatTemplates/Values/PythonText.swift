/// Python's text functions where Swift's differ: they work on Unicode scalars and not on characters.
extension String {
  init(_ scalar: Unicode.Scalar) { self.init(Character(scalar)) }

  /// `String(repeating:count:)` goes character by character.
  init(spaces count: Int) {
    self.init(decoding: [UInt8](repeating: UInt8(ascii: " "), count: count), as: UTF8.self)
  }

  /// Equal scalar by scalar. Complexity: O(length).
  func isSame(as other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
  }

  /// - Parameter characters: what is taken off; nil for white space.
  func stripped(of characters: String?, start: Bool, end: Bool) -> String {
    let set = characters.map { Set($0.unicodeScalars) }
    func isTakenOff(_ scalar: Unicode.Scalar) -> Bool { set.map { $0.contains(scalar) } ?? scalar.isPythonSpace }
    var rest = unicodeScalars[...]
    if start { rest = rest.drop(while: isTakenOff) }
    if end { while let last = rest.last, isTakenOff(last) { rest.removeLast() } }
    return String(rest)
  }

  /// Words between white space; the last holds the rest after `limit` cuts where that isn't negative.
  func words(limit: Int) -> [String] {
    var words: [String] = []
    var rest = unicodeScalars.drop(while: \.isPythonSpace)
    while !rest.isEmpty {
      guard limit < 0 || words.count < limit else {
        words.append(String(rest))
        break
      }
      let word = rest.prefix { !$0.isPythonSpace }
      words.append(String(word))
      rest = rest[word.endIndex...].drop(while: \.isPythonSpace)
    }
    return words
  }

  /// The pieces between places, in bytes, that ``Evaluator/places(of:in:limit:line:)`` found.
  func pieces(between places: [Range<Int>]) -> [String] {
    let bytes = Array(utf8)
    let starts = [0] + places.map(\.upperBound)
    let ends = places.map(\.lowerBound) + [bytes.count]
    return zip(starts, ends).map { String(decoding: bytes[$0..<$1], as: UTF8.self) }
  }

  /// Python's `splitlines`: without an empty line at the end.
  var pythonLines: [String] {
    var lines: [String] = []
    var line = String.UnicodeScalarView()
    var isOpen = false
    var previous: Unicode.Scalar = " "
    for scalar in unicodeScalars {
      defer { previous = scalar }
      if scalar == "\n", previous == "\r" { continue }
      if Self.lineEnds.contains(scalar) {
        lines.append(String(line))
        (line, isOpen) = (.init(), false)
      } else {
        line.append(scalar)
        isOpen = true
      }
    }
    return isOpen ? lines + [String(line)] : lines
  }

  private static let lineEnds: Set<Unicode.Scalar> = [
    "\n", "\r", "\u{B}", "\u{C}", "\u{1C}", "\u{1D}", "\u{1E}", "\u{85}", "\u{2028}", "\u{2029}",
  ]

  /// The first letter of the text large, the others small.
  var pythonCapitalized: String {
    guard let first = unicodeScalars.first else { return self }
    return first.properties.titlecaseMapping + String(unicodeScalars.dropFirst()).lowercased()
  }

  /// The first letter of each run of cased letters large, the others small.
  var pythonTitle: String {
    var title = ""
    var isInside = false
    for scalar in unicodeScalars {
      title += isInside ? scalar.properties.lowercaseMapping : scalar.properties.titlecaseMapping
      isInside = scalar.properties.isCased
    }
    return title
  }
}
