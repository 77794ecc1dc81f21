import SparseKernels
import Testing

/// A matrix whose last element is followed by an unreadable page, and what its elements really are.
struct GuardedMatrix {
  let weights: WeightMatrix
  /// The stored elements, `[rows, columns]`.
  let values: [Float]
  private let memory: GuardedMemory

  /// Stores `values`, rounded to `type`.
  init(_ values: [Float], rows: Int, columns: Int, _ type: ElementType) throws {
    memory = try GuardedMemory(count: values.count * type.size)
    switch type {
    case .float32:
      _ = memory.bytes.bindMemory(to: Float.self).update(fromContentsOf: values)
      self.values = values
    case .float16:
      let halves = values.map { Float16($0) }
      _ = memory.bytes.bindMemory(to: Float16.self).update(fromContentsOf: halves)
      self.values = halves.map { Float($0) }
    case .bfloat16:
      let halves = values.map { UInt16(truncatingIfNeeded: $0.bitPattern >> 16) }
      _ = memory.bytes.bindMemory(to: UInt16.self).update(fromContentsOf: halves)
      self.values = halves.map { Float(bitPattern: UInt32($0) << 16) }
    }
    weights = try #require(
      WeightMatrix(UnsafeRawBufferPointer(memory.bytes), rows: rows, columns: columns, type: type))
  }

  subscript(row: Int, column: Int) -> Double { Double(values[row * weights.columns + column]) }
}
