extension TokenizerModel {
  /// The merges of a SentencePiece vocabulary, which itself has only scores: of all neighbours that make a token,
  /// those whose token has the highest score merge first.
  ///
  /// Each way to cut a token in two tokens is a merge. They are in the order in which Hugging Face writes them to
  /// `tokenizer.json`: by score, among equals those with the longer left part first.
  ///
  /// - Parameter scores: as many as `tokens`, as are `kinds`.
  /// - Throws: `duplicateToken`, `scoreCount`.
  /// - Complexity: O(m log m) for m merges, some two for each token.
  public static func sentencePieceMerges(
    tokens: [String], kinds: [TokenKind], scores: [Double]
  ) throws(TokenizerError) -> [String] {
    guard tokens.count == scores.count, tokens.count == kinds.count else {
      throw .scoreCount(tokens: tokens.count, scores: scores.count)
    }
    let vocabulary = try Vocabulary(tokens: tokens)
    func isNormal(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
      vocabulary.id(of: text).map { kinds[Int($0)] == .normal } ?? false
    }
    var merges: [(score: Double, left: Int, text: String)] = []
    for (id, token) in tokens.enumerated() where kinds[id] == .normal {
      var token = token
      token.withUTF8 { bytes in
        var scalars = 1  // of the left part
        for cut in bytes.indices.dropFirst() where bytes[cut] & 0xC0 != 0x80 {
          let (left, right) = (bytes[..<cut], bytes[cut...])
          if isNormal(.init(rebasing: left)), isNormal(.init(rebasing: right)) {
            let text = String(decoding: left + [UInt8(ascii: " ")] + right, as: UTF8.self)
            merges.append((scores[id], scalars, text))
          }
          scalars += 1
        }
      }
    }
    // The order of tokens breaks the last ties.
    let order = merges.indices.sorted { a, b in
      let (x, y) = (merges[a], merges[b])
      if x.score != y.score { return x.score > y.score }
      return x.left == y.left ? a < b : x.left > y.left
    }
    return order.map { merges[$0].text }
  }
}
