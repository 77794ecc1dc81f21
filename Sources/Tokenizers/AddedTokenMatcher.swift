/// Finds the tokens that are matched whole in the text: at the leftmost place, the longest of them.
///
/// A trie over bytes. Finding all tokens of a text takes O(text · longest token) at worst, and one
/// table look-up a byte where no token begins.
struct AddedTokenMatcher: Sendable {
  private static let root = 0

  /// Child of a node by byte; the key is `node << 8 | byte`.
  private var children: [Int: Int] = [:]
  /// The token that ends at each node.
  private var tokens: [Int32?] = [nil]
  private var startsToken = [Bool](repeating: false, count: 256)

  mutating func insert(_ bytes: some Collection<UInt8>, token: Int32) {
    guard let first = bytes.first else { return }
    startsToken[Int(first)] = true
    var node = Self.root
    for byte in bytes {
      let key = node << 8 | Int(byte)
      if let child = children[key] {
        node = child
      } else {
        tokens.append(nil)
        node = tokens.count - 1
        children[key] = node
      }
    }
    tokens[node] = token
  }

  /// The first token at or after `start`, and where it stands.
  func firstMatch(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> (token: Int32, range: Range<Int>)? {
    for position in start..<text.count where startsToken[Int(text[position])] {
      if let match = longestMatch(in: text, at: position) { return match }
    }
    return nil
  }

  private func longestMatch(
    in text: UnsafeBufferPointer<UInt8>, at start: Int
  ) -> (token: Int32, range: Range<Int>)? {
    var longest: (Int32, Range<Int>)?
    var node = Self.root
    for position in start..<text.count {
      guard let child = children[node << 8 | Int(text[position])] else { break }
      node = child
      if let token = tokens[node] { longest = (token, start..<position + 1) }
    }
    return longest
  }
}
