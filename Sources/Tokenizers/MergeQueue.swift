/// Candidate merges, lowest rank first, then leftmost: a binary heap.
struct MergeQueue {
  struct Candidate: Comparable {
    var rank: Int
    var position: Int

    static func < (left: Self, right: Self) -> Bool {
      left.rank == right.rank ? left.position < right.position : left.rank < right.rank
    }
  }

  private var heap: [Candidate] = []

  /// Complexity: O(log n).
  mutating func insert(_ candidate: Candidate) {
    var child = heap.count
    heap.append(candidate)
    while child > 0 {
      let parent = (child - 1) / 2
      guard candidate < heap[parent] else { break }
      heap[child] = heap[parent]
      child = parent
    }
    heap[child] = candidate
  }

  /// Complexity: O(log n).
  mutating func popFirst() -> Candidate? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return first }
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < last else { break }
      heap[parent] = heap[child]
      parent = child
    }
    heap[parent] = last
    return first
  }
}
