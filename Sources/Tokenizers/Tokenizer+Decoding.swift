extension Tokenizer {
  /// The text that token ids stand for; bytes that aren't UTF-8 become U+FFFD.
  ///
  /// Ids outside the vocabulary stand for nothing, as in Hugging Face `tokenizers`.
  ///
  /// - Parameter skippingSpecialTokens: leaves out tokens of the kind `control`.
  ///
  /// Complexity: O(bytes of the text).
  public func decode(_ ids: [Int32], skippingSpecialTokens: Bool = false) -> String {
    let shown = skippingSpecialTokens ? ids.filter { !isSpecial($0) } : ids
    return String(decoding: bytes(of: shown), as: UTF8.self)
  }

  /// The exact bytes that token ids stand for, which need not be valid UTF-8. Ids outside the
  /// vocabulary stand for nothing.
  ///
  /// Complexity: O(bytes).
  public func bytes(of ids: [Int32]) -> [UInt8] {
    var bytes: [UInt8] = []
    for id in ids where tokenBytes.indices.contains(Int(id)) { bytes += tokenBytes[Int(id)] }
    return bytes
  }

  /// Whether a token is left out of text that skips special tokens.
  func isSpecial(_ id: Int32) -> Bool {
    model.kinds.indices.contains(Int(id)) && model.kinds[Int(id)] == .control
  }
}
