import Checkpoints
import LinearAlgebra

// From the bytes of entries to weights: every second row where two tensors share an entry, and one after the other where
// two planes make the weights.
extension BundleLayout {
  /// The weights of one tensor as it is stored: with one row an input where ``Entry/isTransposed``.
  ///
  /// - Parameters:
  ///   - block: One of its entry's ``Entry/blocks(bytes:)``; all of them unless given.
  ///   - highAlone: Of weights in planes, what the high ones stand for alone.
  ///   - withBytes: Hands over the bytes of an entry, or of a part of one.
  /// - Throws: ``BundleError/malformed(file:reason:)`` where the model has no such tensor, or what `withBytes` throws.
  /// - Complexity: O(its weights).
  func stored(
    _ tensor: ModelTensor, block: Range<Int>? = nil, highAlone: Bool = false,
    withBytes: (Entry, (UnsafeRawBufferPointer) -> Void) throws -> Void
  ) throws -> Matrix {
    let entries = entries(of: tensor, plane: highAlone ? .high : nil)
    guard let first = entries.first else {
      throw BundleError.malformed(file: BundleFile.weights, reason: "the model has no such tensor")
    }
    let blocks = block.map { [$0] } ?? first.blocks()
    let start = blocks.first?.lowerBound ?? 0
    let matrix = Matrix(rows: (blocks.last?.upperBound ?? 0) - start, columns: first.columns)
    for block in blocks {
      // The high plane comes before the low one, which completes it.
      for entry in entries {
        try withBytes(entry.part(block)) {
          entry.decode(tensor, $0, into: matrix, rows: block.lowerBound - start..<block.upperBound - start)
        }
      }
    }
    return matrix
  }

  /// The same in Hugging Face's orientation.
  func values(
    _ tensor: ModelTensor, highAlone: Bool = false,
    withBytes: (Entry, (UnsafeRawBufferPointer) -> Void) throws -> Void
  ) throws -> Matrix {
    let matrix = try stored(tensor, highAlone: highAlone, withBytes: withBytes)
    return entries(of: tensor)[0].isTransposed ? matrix.transposed() : matrix
  }
}

extension BundleLayout.Entry {
  /// The records of its rows.
  ///
  /// - Parameter matrices: The tensors whose rows it holds, as stored.
  /// - Throws: What is wrong with the weights of one of them.
  func encode(_ matrices: [Matrix]) throws(UnstorableTensor) -> [UInt8] {
    var records = [UInt8](repeating: 0, count: rows * rowBytes)
    for (index, matrix) in matrices.enumerated() {
      do { try format.encode(matrix, into: &records, every: matrices.count, from: index) } catch {
        throw UnstorableTensor(tensor: tensors[index], problem: error)
      }
    }
    return records
  }

  /// Rows of one of its tensors, from the bytes of these rows of all of its tensors.
  fileprivate func decode(
    _ tensor: ModelTensor, _ bytes: UnsafeRawBufferPointer, into matrix: Matrix, rows: Range<Int>
  ) {
    guard let index = tensors.firstIndex(of: tensor) else { return }
    format.decode(bytes, into: matrix, rows: rows, every: tensors.count, from: index)
  }
}

/// Why a tensor cannot be stored.
struct UnstorableTensor: Error {
  var tensor: ModelTensor
  var problem: UnstorableWeights
}
