/// How SentencePiece spells text in tokens: spaces as `▁` (U+2581), single bytes as `<0xE2>`.
enum SentencePieceSpelling {
  /// The UTF-8 of `▁`.
  static let space: [UInt8] = Array("\u{2581}".utf8)

  /// The text as tokens spell it. Complexity: O(n).
  static func escape(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var escaped: [UInt8] = []
    escaped.reserveCapacity(text.count + text.count / 2)
    for byte in text {
      if byte == UInt8(ascii: " ") { escaped += space } else { escaped.append(byte) }
    }
    return escaped
  }

  /// The text that a token spells. Complexity: O(n).
  static func unescape(_ token: String) -> [UInt8] {
    var text: [UInt8] = []
    for byte in token.utf8 {
      text.append(byte)
      if text.suffix(space.count).elementsEqual(space) {
        text.removeLast(space.count)
        text.append(UInt8(ascii: " "))
      }
    }
    return text
  }

  static func token(of byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return "<0x\(byte < 16 ? "0" : "")\(digits)>"
  }

  /// The byte that a token such as `<0xE2>` stands for.
  static func byte(of token: String) -> UInt8? {
    guard token.utf8.count == 6, token.hasPrefix("<0x"), token.hasSuffix(">") else { return nil }
    return UInt8(token.dropFirst(3).dropLast(), radix: 16)
  }
}
