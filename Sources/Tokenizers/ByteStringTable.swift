/// A set of byte strings, each known by the order in which it was inserted.
///
/// Open addressing with linear probing over one packed allocation. It compares bytes and so never
/// takes two canonically equivalent spellings for one, as `Dictionary<String, _>` would; the hash is
/// seeded per process, so that no input can be prepared to collide.
struct ByteStringTable: Sendable {
  private static let seed = UInt64.random(in: .min ... .max)
  private static let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15

  private var strings = PackedBytes()
  /// Index of a string plus one, 0 where free; the count is a power of two.
  private var slots = [Int](repeating: 0, count: 64)

  var count: Int { strings.count }

  /// Complexity: O(length), expected.
  func index(of bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    let found = slots[slot(of: bytes)]
    return found == 0 ? nil : found - 1
  }

  /// Complexity: O(length), expected.
  func index(of bytes: [UInt8]) -> Int? {
    bytes.withUnsafeBufferPointer { index(of: $0) }
  }

  /// Adds a string; where it is present already, nothing changes and the answer is its index.
  ///
  /// Complexity: O(length) amortised, expected.
  @discardableResult
  mutating func insert(_ bytes: UnsafeBufferPointer<UInt8>) -> (inserted: Bool, index: Int) {
    let slot = slot(of: bytes)
    if slots[slot] != 0 { return (false, slots[slot] - 1) }
    strings.append(bytes)
    slots[slot] = strings.count
    if strings.count * 2 > slots.count { grow() }
    return (true, strings.count - 1)
  }

  /// The slot that holds `bytes`, or the free one where they belong.
  private func slot(of bytes: UnsafeBufferPointer<UInt8>) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: Self.hash(bytes)) & mask
    while slots[slot] != 0, !strings.equals(bytes, at: slots[slot] - 1) {
      slot = (slot + 1) & mask
    }
    return slot
  }

  private mutating func grow() {
    slots = [Int](repeating: 0, count: slots.count * 2)
    let mask = slots.count - 1
    for index in 0..<strings.count {
      let hash = strings[index].withUnsafeBufferPointer(Self.hash)
      var slot = Int(truncatingIfNeeded: hash) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = index + 1
    }
  }

  /// Folded 128-bit multiplication of eight bytes at a time.
  private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    func mix(_ state: UInt64, _ word: UInt64) -> UInt64 {
      let product = (state ^ word).multipliedFullWidth(by: multiplier)
      return product.high ^ product.low
    }
    let raw = UnsafeRawBufferPointer(bytes)
    var state = mix(seed, UInt64(truncatingIfNeeded: raw.count))
    var offset = 0
    while offset + 8 <= raw.count {
      state = mix(state, raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    var tail: UInt64 = 0
    while offset < raw.count {
      tail = tail << 8 | UInt64(raw[offset])
      offset += 1
    }
    return mix(state, tail)
  }
}
