import Foundation

/// Reads `model.vocab` of a `tokenizer.json` member by member.
///
/// `JSONDecoder` makes a dictionary of it, in which canonically equivalent texts are one key: of the tokens U+8C48
/// and U+F900 one would be lost. The file must have been decoded before: what is not JSON is not told apart here.
struct VocabularyScanner {
  private let bytes: [UInt8]
  private var position = 0

  /// Complexity: O(size of the file).
  static func entries(in json: Data) throws(TokenizerError) -> [(text: String, id: Int)] {
    var scanner = Self(bytes: [UInt8](json))
    var entries: [(text: String, id: Int)] = []
    try scanner.forEachMember { scanner, name throws(TokenizerError) in
      guard name == "model" else { return try scanner.skipValue() }
      try scanner.forEachMember { scanner, name throws(TokenizerError) in
        guard name == "vocab" else { return try scanner.skipValue() }
        try scanner.forEachMember { scanner, text throws(TokenizerError) in
          entries.append((text, try scanner.integer()))
        }
      }
    }
    return entries
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

  private static let failure = TokenizerError.invalidJSON(
    file: .tokenizer, field: "model.vocab", reason: "it is not an object of integers")

  private mutating func skipSpace() {
    while [0x20, 0x09, 0x0A, 0x0D].contains(next) { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func forEachMember(
    _ body: (inout Self, String) throws(TokenizerError) -> Void
  ) throws(TokenizerError) {
    guard take("{") else { throw Self.failure }
    guard !take("}") else { return }
    repeat {
      let name = try string()
      guard take(":") else { throw Self.failure }
      try body(&self, name)
    } while take(",")
    guard take("}") else { throw Self.failure }
  }

  private mutating func integer() throws(TokenizerError) -> Int {
    skipSpace()
    let start = position
    while (0x30...0x39).contains(next) || next == UInt8(ascii: "-") { position += 1 }
    guard let value = Int(String(decoding: bytes[start..<position], as: UTF8.self)) else { throw Self.failure }
    return value
  }

  /// Steps over a value of any kind: brackets are counted, strings passed over.
  private mutating func skipValue() throws(TokenizerError) {
    var depth = 0
    repeat {
      skipSpace()
      switch next {
      case UInt8(ascii: "\""): _ = try rawString()
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        position += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        position += 1
      case 0: throw Self.failure
      default: position += 1
      }
      skipSpace()
    } while depth > 0 || ![UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]")].contains(next)
  }

  /// The bytes between quotes.
  private mutating func rawString() throws(TokenizerError) -> Range<Int> {
    guard take("\"") else { throw Self.failure }
    let start = position
    while next != UInt8(ascii: "\"") {
      position += next == UInt8(ascii: "\\") ? 2 : 1
      guard position < bytes.count else { throw Self.failure }
    }
    position += 1
    return start..<position - 1
  }

  private mutating func string() throws(TokenizerError) -> String {
    let range = try rawString()
    guard bytes[range].contains(UInt8(ascii: "\\")) else { return String(decoding: bytes[range], as: UTF8.self) }
    // Escapes are few: Foundation knows them all.
    let quoted = Data(bytes[range.lowerBound - 1...range.upperBound])
    guard let text = try? JSONDecoder().decode(String.self, from: quoted) else { throw Self.failure }
    return text
  }
}
