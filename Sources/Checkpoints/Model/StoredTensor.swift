import Files
import LinearAlgebra

/// A float tensor in a memory-mapped file. Its bytes were checked to lie inside the file.
struct StoredTensor: Sendable {
  /// Weights; a thread takes as long to begin as some thousands to decode.
  private static let smallestShared = 1_000_000

  let name: String
  /// Outermost dimension first; the last one is contiguous and fills whole blocks of `encoding`.
  let shape: [Int]
  let encoding: WeightEncoding
  let file: MappedFile
  /// The tensor's bytes in the file.
  let range: Range<Int>

  private var rowLength: Int { shape.last ?? 1 }

  /// All values, row by row. Complexity: O(the tensor's size).
  func values() -> [Float] {
    let count = shape.reduce(1, *)
    return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      withExtendedLifetime(file) {
        encoding.decode(bytes(range), into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      }
      initialized = count
    }
  }

  /// The rows at `indices`, in that order. Only these are read; large tensors by two threads, since all others wait.
  ///
  /// - Parameter pool: Where the matrix' memory comes from, if not from the system.
  /// - Precondition: the tensor has two dimensions and each index is a row of it.
  func rows(_ indices: some Collection<Int>, pool: MatrixPool? = nil) -> Matrix {
    let sources = Array(indices)
    let matrix = Matrix(unwrittenRows: sources.count, columns: rowLength, pool: pool)
    let threads = matrix.count < Self.smallestShared ? 1 : 2
    let each = (sources.count + threads - 1) / threads
    withExtendedLifetime(file) {
      // Nothing in it throws.
      try? forEachIndex(below: threads, threads: threads) { _, part in
        for target in part * each..<min((part + 1) * each, sources.count) {
          decode(sources[target], into: matrix, target)
        }
      }
    }
    return matrix
  }

  private func decode(_ source: Int, into matrix: Matrix, _ target: Int) {
    precondition(source >= 0 && source < shape[0])
    let rowBytes = range.count / shape[0]
    let start = range.lowerBound + source * rowBytes
    let row = UnsafeMutableBufferPointer(start: matrix.row(target), count: rowLength)
    encoding.decode(bytes(start..<start + rowBytes), into: row)
  }

  /// See `MappedFile.prefetch`.
  func prefetch() { file.prefetch(range) }

  /// See `MappedFile.release`.
  func release() { file.release(range) }

  private func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: file.bytes[range])
  }
}

/// Float tensors by name, from one file or several.
protocol TensorCatalog: Sendable {
  /// The file or folder that errors name.
  var path: String { get }

  /// Of those that are here.
  var tensorNames: [String] { get }

  /// Whether the model has this tensor in a file that is not here.
  func isElsewhere(_ tensor: String) -> Bool

  /// `nil` where there is none of that name.
  ///
  /// - Throws: ``CheckpointError/unsupported(path:feature:known:)`` where its values aren't floats.
  func storedTensor(named name: String) throws(CheckpointError) -> StoredTensor?
}

extension TensorCatalog {
  func isElsewhere(_ tensor: String) -> Bool { false }
}
