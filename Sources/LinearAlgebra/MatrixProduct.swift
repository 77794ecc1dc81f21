#if canImport(Accelerate)
  import Accelerate
#else
  import COneDNN
#endif

/// A rectangle inside row-major memory: `rows` rows of `columns` elements, `stride` apart.
package struct MatrixView {
  package let base: UnsafeMutablePointer<Float>
  package let rows: Int
  package let columns: Int
  package let stride: Int

  package init(_ base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride
  }
}

extension Matrix {
  package var view: MatrixView { view(rows: rows) }

  /// The first `rows` rows.
  package func view(rows: Int) -> MatrixView {
    precondition(rows <= self.rows)
    return MatrixView(base, rows: rows, columns: columns, stride: columns)
  }
}

/// Matrix products on the calling thread alone: sequences run side by side, each on its own
/// thread, so that results depend neither on batching nor on how many threads there are.
package enum MatrixProduct {
  /// `c ← a · bᵀ` or, with `accumulating`, `c ← c + a · bᵀ`.
  package static func multiply(
    _ a: MatrixView, transposed b: MatrixView, into c: MatrixView, accumulating: Bool = false
  ) {
    precondition(a.columns == b.columns && c.rows == a.rows && c.columns == b.rows)
    sgemm(a, b, c, transposed: true, inner: a.columns, accumulating: accumulating)
  }

  /// `c ← a · b` or, with `accumulating`, `c ← c + a · b`.
  package static func multiply(_ a: MatrixView, _ b: MatrixView, into c: MatrixView, accumulating: Bool = false) {
    precondition(a.columns == b.rows && c.rows == a.rows && c.columns == b.columns)
    sgemm(a, b, c, transposed: false, inner: a.columns, accumulating: accumulating)
  }

  private static func sgemm(
    _ a: MatrixView, _ b: MatrixView, _ c: MatrixView, transposed: Bool, inner: Int, accumulating: Bool
  ) {
    guard c.rows > 0, c.columns > 0 else { return }
    ProductMeter.shared.measure(operations: 2 * c.rows * c.columns * inner) {
      #if canImport(Accelerate)
        // Written by the headers, not run: this branch has never been built on an Apple system.
        cblas_sgemm(
          CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans,
          Int32(c.rows), Int32(c.columns), Int32(inner), 1, a.base, Int32(a.stride), b.base, Int32(b.stride),
          accumulating ? 1 : 0, c.base, Int32(c.stride))
      #else
        gambit_onednn_single_thread()
        let status = dnnl_sgemm(
          CChar(UInt8(ascii: "N")), CChar(UInt8(ascii: transposed ? "T" : "N")),
          dnnl_dim_t(c.rows), dnnl_dim_t(c.columns), dnnl_dim_t(inner), 1,
          a.base, dnnl_dim_t(a.stride), b.base, dnnl_dim_t(b.stride),
          accumulating ? 1 : 0, c.base, dnnl_dim_t(c.stride))
        // The shapes are checked above, so that this can only be a lack of memory for packing.
        precondition(status == dnnl_success, "oneDNN could not multiply matrices (status \(status.rawValue))")
      #endif
    }
  }
}
