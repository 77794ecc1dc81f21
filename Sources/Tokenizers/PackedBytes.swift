/// A list of byte strings in one allocation: a vocabulary has a hundred thousand of a few bytes each.
struct PackedBytes: Sendable {
  private var storage: [UInt8] = []
  private var ends: [Int] = []

  var count: Int { ends.count }

  var indices: Range<Int> { 0..<ends.count }

  /// Complexity: O(1) amortised per byte.
  mutating func append(_ bytes: some Collection<UInt8>) {
    storage.append(contentsOf: bytes)
    ends.append(storage.count)
  }

  subscript(index: Int) -> ArraySlice<UInt8> {
    storage[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
  }

  func equals(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
    let start = index == 0 ? 0 : ends[index - 1]
    guard ends[index] - start == bytes.count else { return false }
    return storage.withUnsafeBufferPointer { $0[start..<ends[index]].elementsEqual(bytes) }
  }
}
