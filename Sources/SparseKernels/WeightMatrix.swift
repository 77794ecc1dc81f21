import CSparseKernels

/// A matrix stored row after row, in memory that belongs to somebody else: `[rows, columns]`.
///
/// It neither owns nor copies. Whoever makes one keeps the memory alive and unchanged while kernels read it.
package struct WeightMatrix: @unchecked Sendable {
  package let rows: Int
  package let columns: Int
  package let type: ElementType
  private let base: UnsafeRawPointer?
  /// Of low bytes the high ones.
  private let high: UnsafeRawPointer?

  /// The matrix at the start of `memory`; nil where that is too short or not aligned to an element. A start at
  /// a multiple of 64 bytes is fastest.
  ///
  /// - Parameter high: What low bytes belong to: high bytes of the same shape, without which there is no such matrix.
  package init?(
    _ memory: UnsafeRawBufferPointer, rows: Int, columns: Int, type: ElementType, high: WeightMatrix? = nil
  ) {
    guard rows >= 0, let rowBytes = type.rowBytes(columns: columns) else { return nil }
    let (bytes, tooLarge) = rows.multipliedReportingOverflow(by: rowBytes)
    guard !tooLarge, bytes <= memory.count else { return nil }
    guard UInt(bitPattern: memory.baseAddress) % UInt(type.alignment) == 0 else { return nil }
    if type == .lowBytes {
      guard let high, high.type == .highBytes, high.rows == rows, high.columns == columns else { return nil }
    }
    (self.rows, self.columns, self.type, base) = (rows, columns, type, memory.baseAddress)
    self.high = type == .lowBytes ? high?.base : nil
  }

  var c: gambit_matrix {
    let type =
      switch type {
      case .float32: GAMBIT_F32
      case .float16: GAMBIT_F16
      case .bfloat16: GAMBIT_BF16
      case .int8: GAMBIT_INT8
      case .q4: GAMBIT_Q4
      case .highNibbles: GAMBIT_HIGH_NIBBLES
      case .lowNibbles: GAMBIT_LOW_NIBBLES
      case .highBytes: GAMBIT_HIGH_BYTES
      case .lowBytes: GAMBIT_LOW_BYTES
      }
    return gambit_matrix(elements: base, rows: rows, columns: columns, type: type, high: high)
  }
}
