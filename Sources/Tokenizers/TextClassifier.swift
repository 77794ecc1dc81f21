/// Gives each byte of a text the class of the scalar that it belongs to.
struct TextClassifier {
  private let recentNumber: ScalarClass
  private(set) var classes: [ScalarClass] = []

  init(_ preTokenizer: TokenizerModel.PreTokenizer) {
    // Only smollm's digits are Rust's; the regular expressions don't know these numbers.
    recentNumber = preTokenizer == .smollm ? .number : .other
  }

  /// Replaces `classes` by those of `text`, valid UTF-8.
  ///
  /// Complexity: O(n).
  mutating func classify(_ text: UnsafeBufferPointer<UInt8>) {
    classes.removeAll(keepingCapacity: true)
    classes.reserveCapacity(text.count)
    var position = 0
    while position < text.count {
      let lead = text[position]
      if lead < 0x80 {
        classes.append(ScalarClass(Unicode.Scalar(lead)))
        position += 1
        continue
      }
      var value = UInt32(lead & (lead < 0xE0 ? 0x1F : lead < 0xF0 ? 0x0F : 0x07))
      var end = position + 1
      while end < text.count, text[end] & 0xC0 == 0x80 {
        value = value << 6 | UInt32(text[end] & 0x3F)
        end += 1
      }
      var scalarClass = Unicode.Scalar(value).map(ScalarClass.init) ?? .other
      if scalarClass == .recentNumber { scalarClass = recentNumber }
      for _ in position..<end { classes.append(scalarClass) }
      position = end
    }
  }
}
