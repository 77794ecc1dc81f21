/// A dense row-major matrix of `Float`.
///
///     let x = Matrix(rows: 2, columns: 3, values: [1, 2, 3, 4, 5, 6])
///     x[1, 0]  // 4
///
/// It is a reference to memory that it owns, aligned to 64 bytes: weights and workspaces are
/// shared between threads without being copied. It does no locking: threads that share a matrix
/// must either all read it or write disjoint rows.
public final class Matrix: @unchecked Sendable {
  public let rows: Int
  public let columns: Int

  /// The first element. Only valid while the matrix is alive.
  package let base: UnsafeMutablePointer<Float>

  private let pool: MatrixPool?

  /// A matrix of zeros.
  public convenience init(rows: Int, columns: Int) {
    self.init(unwrittenRows: rows, columns: columns)
    base.initialize(repeating: 0, count: rows * columns)
  }

  /// A matrix whose elements must be written before they are read: threads that do so find the memory's pages, too.
  ///
  /// - Parameter pool: Where its memory comes from and goes to, if it is kept.
  package init(unwrittenRows rows: Int, columns: Int, pool: MatrixPool? = nil) {
    precondition(rows >= 0 && columns >= 0)
    self.rows = rows
    self.columns = columns
    self.pool = pool
    let floats = Self.floats(rows * columns)
    let memory = pool?.take(bytes: 4 * floats) ?? MatrixMemory.allocate(bytes: 4 * floats)
    base = memory.bindMemory(to: Float.self, capacity: floats)
    (base + rows * columns).initialize(repeating: 0, count: floats - rows * columns)  // what fills the last 64 bytes
  }

  private static func floats(_ count: Int) -> Int { max(16, (count + 15) & ~15) }

  /// - Precondition: `values.count == rows * columns`.
  public convenience init(rows: Int, columns: Int, values: [Float]) {
    precondition(values.count == rows * columns)
    self.init(rows: rows, columns: columns)
    _ = UnsafeMutableBufferPointer(start: base, count: count).update(fromContentsOf: values)
  }

  deinit {
    let memory = UnsafeMutableRawPointer(base)
    let bytes = 4 * Self.floats(count)
    if let pool { pool.give(memory, bytes: bytes) } else { MatrixMemory.free(memory, bytes: bytes) }
  }

  public var count: Int { rows * columns }

  public subscript(row: Int, column: Int) -> Float {
    get {
      precondition(row >= 0 && row < rows && column >= 0 && column < columns)
      return base[row * columns + column]
    }
    set {
      precondition(row >= 0 && row < rows && column >= 0 && column < columns)
      base[row * columns + column] = newValue
    }
  }

  /// All elements, row by row. Complexity: O(`count`).
  public var values: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }

  package func row(_ index: Int) -> UnsafeMutablePointer<Float> { base + index * columns }
}

extension Matrix {
  /// Complexity: O(`count`).
  package func copy() -> Matrix {
    let result = Matrix(rows: rows, columns: columns)
    result.base.update(from: base, count: count)
    return result
  }

  /// Lets some rows change places with another matrix' rows of the same number. Complexity: O(`count`).
  ///
  /// - Precondition: Both have one shape, and `isExchanged` has one entry a row.
  package func exchangeRows(with other: Matrix, where isExchanged: [Bool]) {
    precondition(other.rows == rows && other.columns == columns && isExchanged.count == rows)
    for index in 0..<rows where isExchanged[index] {
      let (a, b) = (row(index), other.row(index))
      for i in 0..<columns { (a[i], b[i]) = (b[i], a[i]) }
    }
  }

  /// Rows and columns exchanged. Complexity: O(`count`).
  public func transposed() -> Matrix {
    let result = Matrix(rows: columns, columns: rows)
    let tile = 32  // both matrices' cache lines stay in L1 within a tile
    for top in stride(from: 0, to: rows, by: tile) {
      for left in stride(from: 0, to: columns, by: tile) {
        for row in top..<min(top + tile, rows) {
          for column in left..<min(left + tile, columns) {
            result.base[column &* rows &+ row] = base[row &* columns &+ column]
          }
        }
      }
    }
    return result
  }
}
