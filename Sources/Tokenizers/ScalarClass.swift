/// What the pre-tokenizers' patterns tell apart in a scalar.
///
/// Hugging Face `tokenizers` takes `\p{L}`, `\p{N}` and `\s` from Oniguruma and its digits from Rust,
/// each with the Unicode version that it was built with. Ids must not depend on the Swift runtime's
/// version, so the ranges come from there (`UnicodeRanges`), not from `Unicode.Scalar.Properties`.
enum ScalarClass: UInt8, Sendable {
  case other
  case letter
  case number
  /// A number to Rust's `char::is_numeric`, not yet assigned in Oniguruma's Unicode.
  case recentNumber
  /// U+0020.
  case space
  /// U+000A and U+000D.
  case newline
  /// White space other than the above.
  case whitespace

  var isWhitespace: Bool { rawValue >= Self.space.rawValue }

  init(_ scalar: Unicode.Scalar) {
    let index = Int(scalar.value)
    self = index < Self.table.count ? Self.table[index] : .other
  }

  /// Class by scalar value up to the end of plane 3; what lies beyond is `other`.
  private static let table: [ScalarClass] = {
    var table = [ScalarClass](repeating: .other, count: 0x40000)
    func fill(_ ranges: [ClosedRange<Int>], _ scalarClass: ScalarClass) {
      for range in ranges {
        for value in range { table[value] = scalarClass }
      }
    }
    fill(UnicodeRanges.letters, .letter)
    fill(UnicodeRanges.recentNumbers, .recentNumber)
    fill(UnicodeRanges.numbers, .number)
    fill(UnicodeRanges.whitespace, .whitespace)
    table[0x20] = .space
    table[0x0A] = .newline
    table[0x0D] = .newline
    return table
  }()
}
