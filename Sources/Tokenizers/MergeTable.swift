/// The merge rules by pair of tokens, and the tokens of bytes or characters where every word starts from.
struct MergeTable: Sendable {
  struct Rule: Sendable {
    /// Place among the merges: the lower, the earlier.
    var rank: Int
    var result: Int32
  }

  private var rules: [UInt64: Rule] = [:]
  private var byteTokens = [Int32?](repeating: nil, count: 256)
  /// Where words start from characters, the tokens that these are looked up in first.
  private let characters: Vocabulary?

  /// - Parameter spelling: how words start: from characters for `sentencePiece`, otherwise from bytes.
  /// - Throws: `malformedMerge` where a merge isn't two texts with one space between them, and
  ///   `mergeOfUnknownToken` where a part or the result of one isn't a token.
  init(
    merges: [String], vocabulary: Vocabulary, spelling: TokenizerModel.PreTokenizer
  ) throws(TokenizerError) {
    characters = spelling == .sentencePiece ? vocabulary : nil
    for (byte, scalar) in ByteAlphabet.scalars.enumerated() {
      let text = characters == nil ? String(scalar) : SentencePieceSpelling.token(of: UInt8(byte))
      byteTokens[byte] = vocabulary.id(of: Array(text.utf8))
    }
    rules.reserveCapacity(merges.count)
    for (rank, merge) in merges.enumerated() {
      let parts = merge.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map(Array.init)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw .malformedMerge(index: rank, text: merge)
      }
      func token(_ text: [UInt8]) throws(TokenizerError) -> Int32 {
        guard let id = vocabulary.id(of: text) else {
          throw .mergeOfUnknownToken(index: rank, token: String(decoding: text, as: UTF8.self))
        }
        return id
      }
      let left = try token(parts[0])
      let right = try token(parts[1])
      // Of two rules for one pair the later counts, as in Hugging Face `tokenizers`.
      rules[Self.key(left, right)] = Rule(rank: rank, result: try token(parts[0] + parts[1]))
    }
  }

  /// Hands out the tokens that merging of a word starts from. Bytes that the vocabulary doesn't spell are left out,
  /// as by Hugging Face without unknown token.
  func forEachStart(of word: UnsafeBufferPointer<UInt8>, _ body: (Int32) -> Void) {
    var position = 0
    while position < word.count {
      var end = position + 1
      if let characters {
        while end < word.count, word[end] & 0xC0 == 0x80 { end += 1 }
        if let token = characters.id(of: .init(rebasing: word[position..<end])) {
          body(token)
          position = end
          continue
        }
      }
      for byte in word[position..<end] { byteTokens[Int(byte)].map(body) }
      position = end
    }
  }

  func rule(_ left: Int32, _ right: Int32) -> Rule? { rules[Self.key(left, right)] }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }
}
