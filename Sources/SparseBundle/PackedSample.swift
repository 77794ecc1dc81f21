import Checkpoints
import Crypto
import LinearAlgebra
import Zstandard

/// Some weights, packed as a bundle packs them, to see how small that makes them and how long it takes.
package struct PackedSample {
  package let weights: Int
  /// Bytes as stored, before they are compressed.
  package let storedBytes: Int
  private let packed: [UInt8]

  package var packedBytes: Int { packed.count }

  /// - Parameter matrix: A gate projection, or rows of one; left as it is stored.
  /// - Throws: What is wrong with a weight, or `ZstandardError`.
  /// - Complexity: O(weights).
  package init(_ matrix: Matrix, as type: WeightType) throws {
    var packed: [UInt8] = []
    let writer = try SeekableWriter { packed += $0 }
    for format in type.formats(of: .layer(0, .gate)) {
      let records = try format.encode(matrix)
      try writer.append(records)
      try writer.endFrame()
      if format.plane == nil { format.decode(records, into: matrix) }
    }
    try writer.finish()
    _ = SHA256.hash(data: packed)
    self.packed = packed
    storedBytes = writer.count
    weights = matrix.count
  }

  /// Rounds rows of a gate projection to what a bundle stores of them.
  ///
  /// - Throws: What is wrong with a weight.
  package static func round(_ matrix: Matrix, as type: WeightType) throws {
    for format in type.formats(of: .layer(0, .gate)) where format.plane != .low { try format.round(matrix) }
  }

  /// Decompresses it.
  package func unpack() throws {
    var rest: [UInt8]? = packed
    let reader = try ZstandardReader {
      defer { rest = nil }
      return rest
    }
    while try reader.next() != nil {}
  }
}
