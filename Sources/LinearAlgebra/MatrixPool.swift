import Synchronization

/// The memory of matrices that are gone, for the next ones of the same size: finding new pages for a layer's weights takes
/// the system as long as decoding them.
///
///     let pool = MatrixPool(capacity: 1 << 30)
///     pool.open()
///     let weights = pool.matrix(rows: 11_008, columns: 4096)
///
/// What it holds is freed with it, or by ``close()``.
package final class MatrixPool: Sendable {
  private struct Spare {
    /// Addresses by the bytes that lie there.
    var addresses: [Int: [UInt]] = [:]
    var bytes = 0
    var isOpen = false
  }

  private let capacity: Int
  private let spare = Mutex(Spare())

  /// - Parameter capacity: Bytes that are kept at most.
  package init(capacity: Int) { self.capacity = capacity }

  deinit { close() }

  /// A matrix whose elements must be written before they are read, and whose memory comes back to an open pool.
  package func matrix(rows: Int, columns: Int) -> Matrix { Matrix(unwrittenRows: rows, columns: columns, pool: self) }

  /// From now on the memory of matrices that go is kept.
  package func open() { spare.withLock { $0.isOpen = true } }

  /// Frees what is kept; from now on nothing is.
  package func close() {
    let addresses = spare.withLock { spare in
      defer { spare = Spare() }
      return spare.addresses
    }
    for (bytes, addresses) in addresses {
      for address in addresses {
        if let memory = UnsafeMutableRawPointer(bitPattern: address) { MatrixMemory.free(memory, bytes: bytes) }
      }
    }
  }

  /// Bytes that are kept for matrices to come.
  package var spareBytes: Int { spare.withLock { $0.bytes } }

  func take(bytes: Int) -> UnsafeMutableRawPointer? {
    let address = spare.withLock { spare in
      let address = spare.addresses[bytes]?.popLast()
      if address != nil { spare.bytes -= bytes }
      return address
    }
    return address.flatMap { UnsafeMutableRawPointer(bitPattern: $0) }
  }

  func give(_ memory: UnsafeMutableRawPointer, bytes: Int) {
    let address = UInt(bitPattern: memory)
    let isKept = spare.withLock { spare in
      guard spare.isOpen, spare.bytes + bytes <= capacity else { return false }
      spare.addresses[bytes, default: []].append(address)
      spare.bytes += bytes
      return true
    }
    if !isKept { MatrixMemory.free(memory, bytes: bytes) }
  }
}
