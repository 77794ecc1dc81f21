import CSparseKernels

extension SparseKernels {
  /// `y ← w[row, …]`: an embedding.
  ///
  /// - Complexity: O(`w.columns`).
  package func copyRow(_ row: Int, of w: WeightMatrix, into y: UnsafeMutableBufferPointer<Float>) {
    precondition(row >= 0 && row < w.rows && y.count == w.columns)
    y.update(repeating: 0)
    var (matrix, input, value) = (w.c, UInt32(row), Float(1))
    table.spvmm(&matrix, &input, &value, 1, y.baseAddress, gambit_range(first: 0, end: w.columns))
  }
}

extension WeightMatrix {
  package var rowBytes: Int { type.rowBytes(columns: columns) ?? 0 }
}
