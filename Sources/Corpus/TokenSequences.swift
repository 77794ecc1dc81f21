import Crypto
import Files

/// A calibration sample: token sequences of one length, with their provenance.
///
///     let sample = try TokenSequences(contentsOf: URL(fileURLWithPath: "sample.h5"))
///     for index in 0..<sample.count { run(sample[index]) }
public struct TokenSequences: Sendable, Equatable {
  /// Tokens a sequence.
  public let sequenceLength: Int

  /// All sequences, one after the other: `[count, sequenceLength]`.
  public let tokens: [Int32]

  /// Where they came from.
  public let provenance: SampleProvenance

  /// SHA-256 in hexadecimal of the number of sequences and their length (64 bits each) and of all
  /// token ids (32 bits each), little-endian. It identifies the sample; provenance is not in it.
  public let contentHash: String

  /// - Throws: ``CorpusError/badRequest(reason:)`` unless `tokens` are one or more whole sequences of
  ///   ids that are not negative.
  /// - Complexity: O(`tokens.count`).
  public init(tokens: [Int32], sequenceLength: Int, provenance: SampleProvenance) throws(CorpusError) {
    guard sequenceLength > 0, !tokens.isEmpty, tokens.count.isMultiple(of: sequenceLength) else {
      throw .badRequest(reason: "\(tokens.count) tokens are not whole sequences of \(sequenceLength)")
    }
    if let bad = tokens.first(where: { $0 < 0 }) { throw .badRequest(reason: "\(bad) is not a token id") }
    self.tokens = tokens
    self.sequenceLength = sequenceLength
    self.provenance = provenance
    contentHash = Self.hash(tokens, sequenceLength: sequenceLength)
  }

  /// The number of sequences.
  public var count: Int { tokens.count / sequenceLength }

  /// One sequence.
  ///
  /// - Precondition: `0 <= index < count`.
  /// - Complexity: O(`sequenceLength`).
  public subscript(index: Int) -> [Int32] {
    Array(tokens[(index * sequenceLength)..<((index + 1) * sequenceLength)])
  }

  /// About so many tokens in whole sequences, one at least, evenly spaced so that every source has its part.
  public func evenlySpaced(tokens: Int) -> [[Int32]] {
    let chosen = min(max(tokens / sequenceLength, 1), count)
    return (0..<chosen).map { self[$0 * count / chosen] }
  }

  /// The ``contentHash`` that sequences of one length would have.
  public static func hash(of sequences: [[Int32]]) -> String {
    hash(sequences.flatMap { $0 }, sequenceLength: sequences.first?.count ?? 1)
  }

  private static func hash(_ tokens: [Int32], sequenceLength: Int) -> String {
    var hash = SHA256()
    let shape = [UInt64(tokens.count / sequenceLength), UInt64(sequenceLength)].map(\.littleEndian)
    shape.withUnsafeBytes { hash.update(bufferPointer: $0) }
    for start in stride(from: 0, to: tokens.count, by: sequenceLength) {
      let sequence = tokens[start..<(start + sequenceLength)].map(\.littleEndian)
      sequence.withUnsafeBytes { hash.update(bufferPointer: $0) }
    }
    return hash.finalize().hexadecimal
  }
}
