import CSparseKernels

/// How a weight is stored.
package enum ElementType: Sendable, CaseIterable {
  case float32, float16, bfloat16

  /// Bytes an element, and what its address must be a multiple of.
  package var size: Int { self == .float32 ? 4 : 2 }
}

/// A row-major matrix without gaps, in memory that belongs to somebody else: `[rows, columns]`.
///
/// It neither owns nor copies. Whoever makes one keeps the memory alive and unchanged while kernels read it.
package struct WeightMatrix: @unchecked Sendable {
  package let rows: Int
  package let columns: Int
  package let type: ElementType
  private let base: UnsafeRawPointer?

  /// The matrix at the start of `memory`; nil where that is too short or not aligned to an element.
  package init?(_ memory: UnsafeRawBufferPointer, rows: Int, columns: Int, type: ElementType) {
    guard rows >= 0, columns >= 0 else { return nil }
    let (count, tooMany) = rows.multipliedReportingOverflow(by: columns)
    let (bytes, tooLarge) = count.multipliedReportingOverflow(by: type.size)
    guard !tooMany, !tooLarge, bytes <= memory.count else { return nil }
    guard UInt(bitPattern: memory.baseAddress) % UInt(type.size) == 0 else { return nil }
    (self.rows, self.columns, self.type, base) = (rows, columns, type, memory.baseAddress)
  }

  var c: gambit_matrix {
    let type =
      switch type {
      case .float32: GAMBIT_F32
      case .float16: GAMBIT_F16
      case .bfloat16: GAMBIT_BF16
      }
    return gambit_matrix(elements: base, rows: rows, columns: columns, type: type)
  }
}
