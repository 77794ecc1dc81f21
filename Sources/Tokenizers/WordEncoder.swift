/// Turns words into tokens and remembers the words it has seen: ordinary text repeats them.
///
/// Belongs to one call of `encode`, so that threads share nothing.
struct WordEncoder {
  /// Longer words hardly repeat.
  private static let longestCachedWord = 64
  private static let cacheCapacity = 1 << 17

  private let merges: MergeTable
  /// Where set, a word that is a token as a whole is taken as it is.
  private let wholeWords: Vocabulary?
  private var merger = BytePairMerger()
  private var words = ByteStringTable()
  /// Tokens of all cached words one after another, and where those of each word end.
  private var cachedTokens: [Int32] = []
  private var cachedEnds: [Int] = []

  init(merges: MergeTable, wholeWords: Vocabulary?) {
    self.merges = merges
    self.wholeWords = wholeWords
  }

  /// Appends the tokens of `word` to `ids`.
  ///
  /// Complexity: O(n log n).
  mutating func encode(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) {
    guard word.count <= Self.longestCachedWord else { return encodeAnew(word, into: &ids) }
    if let index = words.index(of: word) {
      ids += cachedTokens[(index == 0 ? 0 : cachedEnds[index - 1])..<cachedEnds[index]]
      return
    }
    let start = ids.count
    encodeAnew(word, into: &ids)
    guard words.count < Self.cacheCapacity else { return }
    words.insert(word)
    cachedTokens += ids[start...]
    cachedEnds.append(cachedTokens.count)
  }

  private mutating func encodeAnew(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) {
    if let wholeWords, let id = wholeWords.id(of: ByteAlphabet.spelling(of: word)) {
      ids.append(id)
    } else {
      merger.merge(word, by: merges, into: &ids)
    }
  }
}
