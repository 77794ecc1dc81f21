import LinearAlgebra
import Synchronization

/// Reads tensors that will be wanted soon from the disk into the system's cache, beside the work.
final class ReadAhead: Sendable {
  private let thread = Mutex<HelperThread?>(nil)

  /// Waits until what was begun before is read. Where there is no thread to be had, nothing is read ahead.
  func begin(_ tensors: [StoredTensor]) {
    thread.withLock { $0 = HelperThread { for tensor in tensors { tensor.prefetch() } } }
  }
}
