import Crypto

/// A SHA-256 digest as a number that can be compared: its bytes in order, the first the most significant.
struct DocumentHash: Hashable, Comparable, Sendable {
  private let high: UInt128
  private let low: UInt128

  /// The identity of a document: the digest of its cleaned text.
  init(of text: String) { self.init(SHA256.hash(data: Array(text.utf8))) }

  private init(_ digest: SHA256.Digest) {
    func number(_ bytes: some Sequence<UInt8>) -> UInt128 { bytes.reduce(0) { $0 << 8 | UInt128($1) } }
    high = number(digest.prefix(16))
    low = number(digest.dropFirst(16))
  }

  /// The document's place in the random order that `seed` makes: the digest of the seed, as eight
  /// little-endian bytes, and of this hash.
  func priority(seed: UInt64) -> DocumentHash {
    var hash = SHA256()
    withUnsafeBytes(of: seed.littleEndian) { hash.update(bufferPointer: $0) }
    for half in [high, low] { withUnsafeBytes(of: half.bigEndian) { hash.update(bufferPointer: $0) } }
    return DocumentHash(hash.finalize())
  }

  static func < (left: DocumentHash, right: DocumentHash) -> Bool {
    left.high != right.high ? left.high < right.high : left.low < right.low
  }
}
