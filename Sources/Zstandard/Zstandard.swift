/// Compression of data that fit in memory. See ``ZstandardReader``, ``SeekableWriter`` and
/// ``SeekableReader`` for those that don't.
public enum Zstandard {
  /// One frame with a checksum of its contents.
  ///
  /// - Parameter level: 1 (fast) to 22 (small); negative ones are faster still.
  public static func compress(_ bytes: [UInt8], level: Int = 3) throws(ZstandardError) -> [UInt8] {
    try CompressionContext(level: level).compress(bytes)
  }

  /// Unpacks all frames in `bytes`.
  ///
  /// - Parameter limit: The most bytes that the result may have. Memory is taken as the data unpack,
  ///   never on the word of a frame's header.
  /// - Throws: ``ZstandardError/tooLarge(limit:)`` where there are more.
  public static func decompress(_ bytes: [UInt8], limit: Int) throws -> [UInt8] {
    var pending: [UInt8]? = bytes
    let reader = try ZstandardReader {
      defer { pending = nil }
      return pending
    }
    var result: [UInt8] = []
    while let chunk = try reader.next() {
      guard chunk.count <= limit - result.count else { throw ZstandardError.tooLarge(limit: limit) }
      result += chunk
    }
    return result
  }
}
