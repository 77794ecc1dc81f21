/// Byte-pair encoding of one word: of all neighbours that may merge, those of the lowest rank merge
/// first and among them the leftmost, until none is left.
///
/// A doubly linked list of symbols and a heap of candidate pairs, so that a word of n bytes takes
/// O(n log n) however long it is. The buffers are kept from word to word.
struct BytePairMerger {
  private static let none = -1

  private var symbols: [Int32] = []
  private var previous: [Int] = []
  private var next: [Int] = []
  private var queue = MergeQueue()

  /// Appends the tokens of `word` to `ids`.
  mutating func merge(_ word: UnsafeBufferPointer<UInt8>, by table: MergeTable, into ids: inout [Int32]) {
    load(word, table)
    for position in symbols.indices.dropLast() { enqueuePair(at: position, table) }
    while let candidate = queue.popFirst() {
      let left = candidate.position
      let right = next[left]
      // A candidate is stale once either of its symbols has changed.
      guard symbols[left] != Self.consumed, right != Self.none,
        let rule = table.rule(symbols[left], symbols[right]), rule.rank == candidate.rank
      else { continue }
      symbols[left] = rule.result
      symbols[right] = Self.consumed
      next[left] = next[right]
      if next[right] != Self.none { previous[next[right]] = left }
      if previous[left] != Self.none { enqueuePair(at: previous[left], table) }
      enqueuePair(at: left, table)
    }
    for symbol in symbols where symbol != Self.consumed { ids.append(symbol) }
  }

  /// Marks a symbol that was merged into the one before it.
  private static let consumed: Int32 = -1

  private mutating func load(_ word: UnsafeBufferPointer<UInt8>, _ table: MergeTable) {
    symbols.removeAll(keepingCapacity: true)
    previous.removeAll(keepingCapacity: true)
    next.removeAll(keepingCapacity: true)
    table.forEachStart(of: word) { token in
      previous.append(symbols.count - 1)
      symbols.append(token)
      next.append(symbols.count)
    }
    if !next.isEmpty { next[next.count - 1] = Self.none }
  }

  private mutating func enqueuePair(at position: Int, _ table: MergeTable) {
    let right = next[position]
    guard right != Self.none, let rule = table.rule(symbols[position], symbols[right]) else { return }
    queue.insert(.init(rank: rule.rank, position: position))
  }
}
