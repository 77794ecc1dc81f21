import Synchronization

/// The memory of matrices that are gone, for the next ones of the same size: finding new pages for a layer's weights takes
/// the system as long as decoding them.
///
///     let pool = MatrixPool()
///     let weights = pool.matrix(rows: 11_008, columns: 4096)
///
/// What it holds is freed with it, or by ``close()``.
package final class MatrixPool: Sendable {
  private struct Spare {
    /// Addresses by the bytes that lie there.
    var addresses: [Int: [UInt]] = [:]
    var isOpen = false
  }

  private let spare = Mutex(Spare())

  package init() {}

  deinit { close() }

  /// A matrix whose elements must be written before they are read, and whose memory comes back to an open pool.
  package func matrix(rows: Int, columns: Int) -> Matrix { Matrix(unwrittenRows: rows, columns: columns, pool: self) }

  /// From now on the memory of matrices that go is kept.
  package func open() { spare.withLock { $0.isOpen = true } }

  /// Frees what is kept; from now on nothing is.
  package func close() {
    let addresses = spare.withLock { spare in
      defer { spare = Spare() }
      return spare.addresses.values.joined().map { $0 }
    }
    for address in addresses { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
  }

  /// Bytes that are kept for matrices to come.
  package var spareBytes: Int {
    spare.withLock { $0.addresses.reduce(0) { $0 + $1.key * $1.value.count } }
  }

  func take(bytes: Int) -> UnsafeMutableRawPointer? {
    spare.withLock { $0.addresses[bytes]?.popLast() }.flatMap { UnsafeMutableRawPointer(bitPattern: $0) }
  }

  func give(_ memory: UnsafeMutableRawPointer, bytes: Int) {
    let address = UInt(bitPattern: memory)
    let isKept = spare.withLock { spare in
      if spare.isOpen { spare.addresses[bytes, default: []].append(address) }
      return spare.isOpen
    }
    if !isKept { memory.deallocate() }
  }
}
