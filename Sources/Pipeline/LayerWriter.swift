import ActivationStatistics
import Dispatch
import LinearAlgebra
import Synchronization
import Transformer

/// Turns what collectors counted into files while the next layer is computed: adding up, compressing
/// and writing a layer keep one thread busy for a while, in which the others would wait.
///
/// There are two collectors, one that counts and one that is written, or, where these would take much memory, one that is
/// emptied while the next layer's weights are read.
///
/// Not to be used from two threads at once.
final class LayerWriter {
  /// Bytes; a second collector is worth no more.
  private static let mostForTwo = 512_000_000

  private let checkpoint: StatisticsCheckpoint
  private let collectors: [StatisticsCollector]
  private var next = 0
  private var writing: HelperThread?
  /// Signalled once for each layer that is handed over: its collector can count again.
  private let emptied = DispatchSemaphore(value: 0)
  private var isEmpty = true
  private let failure = Failure()

  private final class Failure: Sendable {
    let first = Mutex<(any Error)?>(nil)

    func catching<Value>(_ body: () throws -> Value) -> Value? {
      do { return try body() } catch {
        first.withLock { $0 = $0 ?? error }
        return nil
      }
    }
  }

  init(_ checkpoint: StatisticsCheckpoint, workers: Int) {
    self.checkpoint = checkpoint
    let description = checkpoint.description
    let (widths, sinks) = (description.widths, description.sinkPositions)
    collectors = (0..<Self.collectorCount(widths, sinkPositions: sinks, workers: workers)).map { _ in
      StatisticsCollector(widths, sinkPositions: sinks, workers: workers)
    }
  }

  static func collectorCount(_ widths: LayerWidths, sinkPositions: Int, workers: Int) -> Int {
    2 * widths.bytesToCount(sinkPositions: sinkPositions, workers: workers) <= mostForTwo ? 2 : 1
  }

  /// A collector with nothing in it.
  ///
  /// - Parameter offsets: Of the layer that it is to watch.
  /// - Throws: What writing an earlier layer has thrown.
  func nextCollector(_ offsets: PlaneOffsets?) throws -> StatisticsCollector {
    if collectors.count == 1, !isEmpty {
      emptied.wait()
      isEmpty = true
    }
    try throwFailure()
    defer { next = collectors.count - 1 - next }
    collectors[next].use(offsets)
    return collectors[next]
  }

  /// Writes a layer, later, and waits until the one before is written.
  func write(_ collector: StatisticsCollector, layer: Int) {
    writing?.join()
    writing = nil  // and with it the record that it wrote
    isEmpty = false
    let work: @Sendable () -> Void = { [checkpoint, failure, emptied] in
      let record = failure.catching { try collector.finish(layer: layer) }
      emptied.signal()
      if let record { failure.catching { try checkpoint.store(record, layer: layer) } }
    }
    writing = HelperThread(work)
    if writing == nil { work() }
  }

  /// Waits until everything that was handed over is written.
  func finish() throws {
    writing?.join()
    try throwFailure()
  }

  private func throwFailure() throws {
    if let failure = failure.first.withLock({ $0 }) { throw failure }
  }
}
