/// The documents of least priority number whose tokens fill a share, chosen from a stream.
///
/// It holds the least documents that fill the share, and no more: memory is bounded by the share
/// and one document. What it holds at the end does not depend on the order in which documents came.
struct Selection {
  struct Candidate {
    let priority: DocumentHash
    var tokens: [Int32]
  }

  /// A chosen document, ordered by how far into its source's share its middle lies: sorted, the documents of all
  /// sources are mixed evenly.
  struct Placed: Comparable {
    let priority: DocumentHash
    let tokens: [Int32]
    let twiceMiddle: Int
    let share: Int

    static func < (left: Self, right: Self) -> Bool {
      // Fractions of the shares, compared exactly.
      let (l, r) = (Int128(left.twiceMiddle) * Int128(right.share), Int128(right.twiceMiddle) * Int128(left.share))
      return l != r ? l < r : left.priority < right.priority
    }
  }

  let share: Int
  private(set) var tokens = 0
  /// A binary heap with the greatest priority number at its root.
  private var heap: [Candidate] = []

  init(share: Int) { self.share = share }

  /// The documents held.
  var count: Int { heap.count }

  /// Whether a document of this priority would be chosen, as far as the stream has been seen. What
  /// is turned down now would be turned down at the end.
  func accepts(_ priority: DocumentHash) -> Bool {
    guard share > 0 else { return false }
    guard tokens >= share, let worst = heap.first else { return true }
    return priority < worst.priority
  }

  /// Takes a document and lets go of those that it makes superfluous. Complexity: O(log documents).
  mutating func insert(_ candidate: Candidate) {
    heap.append(candidate)
    tokens += candidate.tokens.count
    siftUp()
    while let worst = heap.first, tokens - worst.tokens.count >= share {
      tokens -= worst.tokens.count
      removeWorst()
    }
  }

  /// The chosen documents; the last one is cut so that together they fill the share exactly, and
  /// ends with `endOfText` all the same.
  func filled(endOfText: Int32) -> [Candidate] {
    var chosen = heap.sorted { $0.priority < $1.priority }
    let excess = tokens - share
    if excess > 0, let last = chosen.indices.last {
      chosen[last].tokens.removeLast(excess + 1)
      chosen[last].tokens.append(endOfText)
    }
    return chosen
  }

  /// The documents of ``filled(endOfText:)`` with their places in the share.
  func placed(endOfText: Int32) -> [Placed] {
    var before = 0
    return filled(endOfText: endOfText).map { document in
      defer { before += document.tokens.count }
      return Placed(
        priority: document.priority, tokens: document.tokens, twiceMiddle: 2 * before + document.tokens.count,
        share: share)
    }
  }

  private mutating func siftUp() {
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[parent].priority < heap[child].priority else { return }
      heap.swapAt(parent, child)
      child = parent
    }
  }

  private mutating func removeWorst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while true {
      var greatest = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if heap[greatest].priority < heap[child].priority { greatest = child }
      }
      guard greatest != parent else { return }
      heap.swapAt(parent, greatest)
      parent = greatest
    }
  }
}
