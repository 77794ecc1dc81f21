import Foundation

extension String {
  /// The text in Unicode's composed form (NFC).
  ///
  /// Foundation takes time quadratic in the number of compositions, so the text goes through it in
  /// pieces cut before scalars that never compose with what stands before them.
  ///
  /// Complexity: O(n) where such a scalar comes up now and then, as in text of any language.
  func inComposedForm() -> String {
    // Nothing below U+0300 composes with another scalar below U+0300.
    guard utf8.contains(where: { $0 >= 0xCC }) else { return self }
    var result = ""
    result.reserveCapacity(utf8.count)
    var start = startIndex
    var length = 0
    for index in unicodeScalars.indices {
      if length >= 2048, unicodeScalars[index].neverComposesBackwards {
        result += String(self[start..<index]).precomposedStringWithCanonicalMapping
        start = index
        length = 0
      }
      length += 1
    }
    return result + String(self[start...]).precomposedStringWithCanonicalMapping
  }
}

extension Unicode.Scalar {
  /// True of Latin letters and ASCII, of most of Greek and Cyrillic, and of Chinese characters: the
  /// starters of which no canonical composition has one in second place. Not complete, nor need it be.
  fileprivate var neverComposesBackwards: Bool {
    switch value {
    case 0..<0x300, 0x370..<0x483, 0x3400..<0xA000: true
    default: false
    }
  }
}
