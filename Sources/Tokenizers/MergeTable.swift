/// The merge rules by pair of tokens, and the tokens of single bytes where every word starts from.
struct MergeTable: Sendable {
  struct Rule: Sendable {
    /// Place among the merges: the lower, the earlier.
    var rank: Int
    var result: Int32
  }

  private var rules: [UInt64: Rule] = [:]
  private var byteTokens = [Int32?](repeating: nil, count: 256)

  /// - Throws: `malformedMerge` where a merge isn't two texts with one space between them, and
  ///   `mergeOfUnknownToken` where a part or the result of one isn't a token.
  init(merges: [String], vocabulary: Vocabulary) throws(TokenizerError) {
    for (byte, scalar) in ByteAlphabet.scalars.enumerated() {
      byteTokens[byte] = vocabulary.id(of: Array(String(scalar).utf8))
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

  func token(of byte: UInt8) -> Int32? { byteTokens[Int(byte)] }

  func rule(_ left: Int32, _ right: Int32) -> Rule? { rules[Self.key(left, right)] }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }
}
