/// Cuts text into the words within which merges are applied, as the pre-tokenizers' regular
/// expressions do (`PreTokenizer.splitExpression`).
///
/// `classes` has one entry a byte, all bytes of a scalar bearing its class: runs of a class extend
/// byte by byte, and only steps of a single scalar need to look at UTF-8.
struct WordScanner {
  let preTokenizer: TokenizerModel.PreTokenizer
  let bytes: UnsafeBufferPointer<UInt8>
  let classes: UnsafeBufferPointer<ScalarClass>

  /// Calls `body` with each word in order; the words cover the text.
  ///
  /// Complexity: O(n).
  func forEachWord(_ body: (Range<Int>) -> Void) {
    guard preTokenizer != .sentencePiece else { return bytes.isEmpty ? () : body(0..<bytes.count) }
    guard preTokenizer == .smollm else { return forEachWord(in: 0..<bytes.count, body) }
    // Digits are cut out first and the pattern sees each piece as a text of its own: the spaces
    // before a digit end their piece and stay together.
    var start = 0
    while start < bytes.count {
      let end =
        classes[start] == .number
        ? endOfScalar(at: start, limit: bytes.count)
        : classes[start...].firstIndex(of: .number) ?? bytes.count
      forEachWord(in: start..<end, body)
      start = end
    }
  }

  private func forEachWord(in range: Range<Int>, _ body: (Range<Int>) -> Void) {
    var start = range.lowerBound
    while start < range.upperBound {
      let end =
        switch preTokenizer {
        case .gpt2, .smollm: endOfGPT2Word(from: start, limit: range.upperBound)
        case .llamaBPE: endOfWord(from: start, limit: range.upperBound, digits: 3)
        case .qwen2: endOfWord(from: start, limit: range.upperBound, digits: 1)
        case .sentencePiece: range.upperBound
        }
      body(start..<end)
      start = end
    }
  }

  private func endOfGPT2Word(from start: Int, limit: Int) -> Int {
    if let end = endOfContraction(from: start, limit: limit, ignoringCase: false) { return end }
    // ` ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+`
    let first = classes[start] == .space && start + 1 < limit ? start + 1 : start
    if !classes[first].isWhitespace { return endOfRun(from: first, limit: limit) }
    return endOfWhitespace(from: start, limit: limit)
  }

  /// The pattern that Llama 3 and Qwen2 share but for the most digits a word may have.
  private func endOfWord(from start: Int, limit: Int, digits: Int) -> Int {
    if let end = endOfContraction(from: start, limit: limit, ignoringCase: true) { return end }
    let startClass = classes[start]
    switch startClass {
    case .letter:
      return endOfRun(from: start, limit: limit)
    case .number:
      return endOfNumber(from: start, limit: limit, digits: digits)
    case .newline:
      return endOfLineBreak(from: start, limit: limit)
    case .other, .recentNumber, .space, .whitespace:
      // `[^\r\n\p{L}\p{N}]?\p{L}+`
      let second = endOfScalar(at: start, limit: limit)
      if second < limit, classes[second] == .letter { return endOfRun(from: second, limit: limit) }
      // ` ?[^\s\p{L}\p{N}]+[\r\n]*`
      let first = startClass == .space && second < limit ? second : start
      guard classes[first] == .other else { return endOfLineBreak(from: start, limit: limit) }
      var end = endOfRun(from: first, limit: limit)
      while end < limit, classes[end] == .newline { end += 1 }
      return end
    }
  }

  /// `'s|'t|'re|'ve|'m|'ll|'d`
  private func endOfContraction(from start: Int, limit: Int, ignoringCase: Bool) -> Int? {
    guard bytes[start] == UInt8(ascii: "'"), start + 1 < limit else { return nil }
    func letter(at index: Int) -> UInt8 {
      guard index < limit else { return 0 }
      return ignoringCase && bytes[index] & 0xC0 == 0x40 ? bytes[index] | 0x20 : bytes[index]
    }
    switch (letter(at: start + 1), letter(at: start + 2)) {
    case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _), (UInt8(ascii: "d"), _):
      return start + 2
    case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
      (UInt8(ascii: "l"), UInt8(ascii: "l")):
      return start + 3
    case (0xC5, 0xBF) where ignoringCase:
      // The long s, U+017F, is an s when case is ignored.
      return start + 3
    default:
      return nil
    }
  }

  /// `\p{N}{1,digits}`
  private func endOfNumber(from start: Int, limit: Int, digits: Int) -> Int {
    var end = start
    for _ in 0..<digits where end < limit && classes[end] == .number {
      end = endOfScalar(at: end, limit: limit)
    }
    return end
  }

  /// `\s*[\r\n]+|\s+(?!\S)|\s+`
  private func endOfLineBreak(from start: Int, limit: Int) -> Int {
    let end = endOfWhitespaceRun(from: start, limit: limit)
    if let newline = classes[start..<end].lastIndex(of: .newline) { return newline + 1 }
    return endOfWhitespace(from: start, limit: limit)
  }

  /// `\s+(?!\S)|\s+`: the last white space before a word is left for that word.
  private func endOfWhitespace(from start: Int, limit: Int) -> Int {
    let end = endOfWhitespaceRun(from: start, limit: limit)
    guard end < limit else { return end }
    var last = end - 1
    while last > start, isContinuation(last) { last -= 1 }
    return last > start ? last : end
  }

  private func endOfWhitespaceRun(from start: Int, limit: Int) -> Int {
    var end = start
    while end < limit, classes[end].isWhitespace { end += 1 }
    return end
  }

  private func endOfRun(from start: Int, limit: Int) -> Int {
    let runClass = classes[start]
    var end = start + 1
    while end < limit, classes[end] == runClass { end += 1 }
    return end
  }

  private func endOfScalar(at start: Int, limit: Int) -> Int {
    var end = start + 1
    while end < limit, isContinuation(end) { end += 1 }
    return end
  }

  private func isContinuation(_ index: Int) -> Bool {
    bytes[index] & 0xC0 == 0x80
  }
}
