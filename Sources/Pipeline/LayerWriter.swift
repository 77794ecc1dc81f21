import ActivationStatistics
import Dispatch
import Synchronization
import Transformer

/// Turns what collectors counted into files while the next layer is computed: adding up, compressing
/// and writing a layer keep one thread busy for a while, in which the others would wait.
///
/// There are two collectors, one that counts and one that is written.
final class LayerWriter: Sendable {
  private let checkpoint: StatisticsCheckpoint
  private let collectors: [StatisticsCollector]
  private let queue = DispatchQueue(label: "gambit.layer-writer")
  /// Counts from 0: Dispatch stops a process that lets go of a semaphore below its first value.
  private let free = DispatchSemaphore(value: 0)
  private let state = Mutex<(next: Int, failure: (any Error)?)>((0, nil))

  init(_ checkpoint: StatisticsCheckpoint, workers: Int) {
    self.checkpoint = checkpoint
    let description = checkpoint.description
    collectors = (0..<2).map { _ in
      StatisticsCollector(description.widths, sinkPositions: description.sinkPositions, workers: workers)
    }
    for _ in collectors { free.signal() }
  }

  /// A collector with nothing in it; waits until one has been written.
  ///
  /// - Parameter offsets: Of the layer that it is to watch.
  /// - Throws: What writing an earlier layer has thrown.
  func nextCollector(_ offsets: PlaneOffsets?) throws -> StatisticsCollector {
    free.wait()
    do {
      let collector = collectors[
        try state.withLock { state in
          if let failure = state.failure { throw failure }
          defer { state.next = 1 - state.next }
          return state.next
        }]
      collector.use(offsets)
      return collector
    } catch {
      free.signal()
      throw error
    }
  }

  /// Writes a layer, later.
  func write(_ collector: StatisticsCollector, layer: Int) {
    queue.async { [self] in
      do {
        try checkpoint.store(collector.finish(layer: layer), layer: layer)
      } catch {
        state.withLock { $0.failure = $0.failure ?? error }
      }
      free.signal()
    }
  }

  /// Waits until everything that was handed over is written.
  func finish() throws {
    queue.sync {}
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }
}
