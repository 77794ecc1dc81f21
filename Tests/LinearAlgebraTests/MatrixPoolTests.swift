import LinearAlgebra
import Testing

struct MatrixPoolTests {
  private let pool = MatrixPool(capacity: 300)

  /// Where a matrix of 3 × 7 that is gone at once had its memory.
  private func address(rows: Int = 3, columns: Int = 7) -> UInt {
    UInt(bitPattern: pool.matrix(rows: rows, columns: columns).base)
  }

  @Test func memoryServesTheNextMatrixOfItsSize() {
    pool.open()
    let first = address()
    #expect(pool.spareBytes == 128)  // 21 floats fill two lines of 64 bytes
    #expect(address() == first)
    let (a, b) = (pool.matrix(rows: 7, columns: 3), pool.matrix(rows: 3, columns: 7))
    #expect(UInt(bitPattern: a.base) == first && a.base != b.base && pool.spareBytes == 0)
    #expect(address(rows: 30) != first)
  }

  @Test func noMoreIsKeptThanItsCapacity() {
    pool.open()
    do {
      let matrices = (0..<5).map { _ in pool.matrix(rows: 3, columns: 7) }
      withExtendedLifetime(matrices) { #expect(pool.spareBytes == 0) }
    }
    #expect(pool.spareBytes == 256)
  }

  @Test func rowsThatFillNoLineEndInZeros() {
    pool.open()
    do {
      let first = pool.matrix(rows: 2, columns: 16)
      first.base.update(repeating: 5, count: 32)
    }
    let second = pool.matrix(rows: 1, columns: 17)
    #expect((17..<32).allSatisfy { second.base[$0] == 0 })
  }

  @Test func nothingIsKeptBeforeOpeningOrAfterClosing() {
    _ = address()
    #expect(pool.spareBytes == 0)
    pool.open()
    let kept = pool.matrix(rows: 3, columns: 7)
    _ = address()
    #expect(pool.spareBytes == 128)
    pool.close()
    #expect(pool.spareBytes == 0)
    withExtendedLifetime(kept) {}
  }
}
