import CSparseKernels

extension SparseKernels {
  /// `y ← w[row, …]`: an embedding.
  ///
  /// - Complexity: O(`w.columns`).
  package func copyRow(_ row: Int, of w: WeightMatrix, into y: UnsafeMutableBufferPointer<Float>) {
    precondition(row >= 0 && row < w.rows && y.count == w.columns)
    y.update(repeating: 0)
    withUnsafePointer(to: UInt32(row)) { input in
      withUnsafePointer(to: Float(1)) { value in
        var list = gambit_listed(w: w.c, inputs: input, values: value, count: 1)
        table.spvmm(&list, 1, 0, y.baseAddress, gambit_range(first: 0, end: w.columns))
      }
    }
  }
}

extension WeightMatrix {
  package var rowBytes: Int { type.rowBytes(columns: columns) ?? 0 }
}
