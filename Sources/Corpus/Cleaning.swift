/// What is done to a document before it is sampled: line ends become LF, so that the same text from
/// another system counts as the same. Everything else stays as it is.
enum Cleaning {
  /// The cleaned text; `nil` where there is nothing but white space.
  static func clean(_ text: String) -> String? {
    guard !text.unicodeScalars.allSatisfy(\.properties.isWhitespace) else { return nil }
    guard text.utf8.contains(0x0d) else { return text }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    // On bytes, because CR LF is a single character to Swift.
    for byte in text.utf8 {
      if byte == 0x0a, bytes.last == 0x0d { bytes.removeLast() }
      bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
