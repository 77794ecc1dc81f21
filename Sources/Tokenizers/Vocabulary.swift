/// Token ids by the text of tokens, compared byte for byte.
struct Vocabulary: Sendable {
  private var texts = ByteStringTable()
  /// By index in `texts`.
  private var ids: [Int32] = []

  /// Ids whose token is empty are gaps in the numbering and have no entry.
  ///
  /// - Throws: `duplicateToken`.
  init(tokens: [String]) throws(TokenizerError) {
    for (id, text) in tokens.enumerated() where !text.isEmpty {
      let (inserted, index) = Array(text.utf8).withUnsafeBufferPointer { texts.insert($0) }
      guard inserted else { throw .duplicateToken(text: text, first: Int(ids[index]), second: id) }
      ids.append(Int32(id))
    }
  }

  /// Complexity: O(length of `text`).
  func id(of text: UnsafeBufferPointer<UInt8>) -> Int32? {
    texts.index(of: text).map { ids[$0] }
  }

  /// Complexity: O(length of `text`).
  func id(of text: [UInt8]) -> Int32? {
    texts.index(of: text).map { ids[$0] }
  }
}
