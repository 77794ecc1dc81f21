import LinearAlgebra
import Testing

struct MatrixTests {
  @Test(arguments: [(0, 3), (1, 1), (1, 40), (33, 31), (64, 65)])
  func transpositionExchangesRowsAndColumns(rows: Int, columns: Int) {
    let matrix = Matrix(rows: rows, columns: columns, values: (0..<rows * columns).map(Float.init))
    let transposed = matrix.transposed()
    #expect(transposed.rows == columns && transposed.columns == rows)
    for row in 0..<rows {
      for column in 0..<columns { #expect(transposed[column, row] == matrix[row, column]) }
    }
  }

  @Test func newMatrixIsZeros() {
    #expect(Matrix(rows: 3, columns: 7).values == [Float](repeating: 0, count: 21))
  }
}
