import Checkpoints
import LinearAlgebra

// From the bytes of entries to weights: every second row where two tensors share an entry, and one after the other where
// two planes make the weights.
extension BundleLayout {
  /// The weights of one tensor as it is stored: with one row an input where ``Entry/isTransposed``.
  ///
  /// - Parameters:
  ///   - highAlone: Of weights in planes, what the high ones stand for alone.
  ///   - withBytes: Hands over the bytes of an entry.
  /// - Throws: ``BundleError/malformed(file:reason:)`` where the model has no such tensor, or what `withBytes` throws.
  /// - Complexity: O(its weights).
  func stored(
    _ tensor: ModelTensor, highAlone: Bool = false,
    withBytes: (Entry, (UnsafeRawBufferPointer) -> Void) throws -> Void
  ) throws -> Matrix {
    let entries = entries(of: tensor, plane: highAlone ? .high : nil)
    guard let first = entries.first else {
      throw BundleError.malformed(file: BundleFile.weights, reason: "the model has no such tensor")
    }
    let matrix = Matrix(rows: first.rows / first.tensors.count, columns: first.columns)
    // The high plane comes before the low one, which completes it.
    for entry in entries { try withBytes(entry) { entry.decode(tensor, $0, into: matrix) } }
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

  /// The rows of one of its tensors, from all of its bytes.
  fileprivate func decode(_ tensor: ModelTensor, _ bytes: UnsafeRawBufferPointer, into matrix: Matrix) {
    guard let index = tensors.firstIndex(of: tensor) else { return }
    format.decode(bytes, into: matrix, every: tensors.count, from: index)
  }
}

/// Why a tensor cannot be stored.
struct UnstorableTensor: Error {
  var tensor: ModelTensor
  var problem: UnstorableWeights
}
