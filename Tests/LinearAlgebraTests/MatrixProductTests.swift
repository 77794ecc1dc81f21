import TestSupport
import Testing

@testable import LinearAlgebra

struct MatrixProductTests {
  struct Shape: Sendable {
    let rows: Int
    let inner: Int
    let columns: Int
    /// Elements between the end of a row and the start of the next.
    var gap = 0
  }

  static let shapes = [
    Shape(rows: 1, inner: 1, columns: 1), Shape(rows: 1, inner: 64, columns: 7), Shape(rows: 3, inner: 5, columns: 17),
    Shape(rows: 33, inner: 19, columns: 31, gap: 3), Shape(rows: 64, inner: 128, columns: 65, gap: 16),
    Shape(rows: 129, inner: 3, columns: 2, gap: 1),
  ]

  @Test(arguments: shapes, [false, true])
  func transposedProductIsTheTripleLoop(_ shape: Shape, accumulating: Bool) {
    var numbers = RandomNumbers(seed: 1)
    let a = Operand(shape.rows, shape.inner, shape.gap, &numbers)
    let b = Operand(shape.columns, shape.inner, shape.gap, &numbers)
    let c = Operand(shape.rows, shape.columns, shape.gap, &numbers)
    let before = c.memory.values
    MatrixProduct.multiply(a.view, transposed: b.view, into: c.view, accumulating: accumulating)
    expectProduct(c, before, accumulating: accumulating) { row, column in
      (0..<shape.inner).reduce(0) { $0 + Double(a[row, $1]) * Double(b[column, $1]) }
    }
  }

  @Test(arguments: shapes)
  func plainProductIsTheTripleLoop(_ shape: Shape) {
    var numbers = RandomNumbers(seed: 2)
    let a = Operand(shape.rows, shape.inner, shape.gap, &numbers)
    let b = Operand(shape.inner, shape.columns, shape.gap, &numbers)
    let c = Operand(shape.rows, shape.columns, shape.gap, &numbers)
    let before = c.memory.values
    MatrixProduct.multiply(a.view, b.view, into: c.view)
    expectProduct(c, before, accumulating: false) { row, column in
      (0..<shape.inner).reduce(0) { $0 + Double(a[row, $1]) * Double(b[$1, column]) }
    }
  }

  @Test func productWithoutRowsTouchesNothing() {
    let a = Matrix(rows: 0, columns: 3)
    let b = Matrix(rows: 2, columns: 3)
    let c = Matrix(rows: 1, columns: 2, values: [4, 5])
    MatrixProduct.multiply(a.view, transposed: b.view, into: c.view(rows: 0))
    #expect(c.values == [4, 5])
  }

  /// The product where it belongs, and the gaps between rows as they were.
  private func expectProduct(
    _ c: Operand, _ before: [Float], accumulating: Bool, _ expected: (Int, Int) -> Double
  ) {
    for row in 0..<c.memory.rows {
      for column in 0..<c.memory.columns {
        let old = before[row * c.memory.columns + column]
        guard column < c.view.columns else {
          #expect(c[row, column] == old)
          continue
        }
        let sum = expected(row, column) + (accumulating ? Double(old) : 0)
        #expect((Double(c[row, column]) - sum).magnitude < 1e-4)
      }
    }
  }
}

/// A matrix whose rows lie further apart than they are long.
private struct Operand {
  let memory: Matrix
  let view: MatrixView

  init(_ rows: Int, _ columns: Int, _ gap: Int, _ numbers: inout RandomNumbers) {
    memory = Matrix(rows: rows, columns: columns + gap, values: numbers.normals(rows * (columns + gap)))
    view = MatrixView(memory.base, rows: rows, columns: columns, stride: columns + gap)
  }

  subscript(row: Int, column: Int) -> Float { memory[row, column] }
}
