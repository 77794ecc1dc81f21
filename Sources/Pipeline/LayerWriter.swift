import ActivationStatistics
import LinearAlgebra
import Synchronization
import Transformer

/// Turns what collectors counted into files while the next layer is computed: adding up, compressing
/// and writing a layer keep one thread busy for a while, in which the others would wait.
///
/// There are two collectors, one that counts and one that is written, or, where these would take much memory, one that is
/// emptied before it counts again.
///
/// Not to be used from two threads at once.
final class LayerWriter {
  /// Bytes; a second collector is worth no more.
  private static let mostForTwo = 512_000_000

  private let checkpoint: StatisticsCheckpoint
  private let collectors: [StatisticsCollector]
  private var next = 0
  private var writing: HelperThread?
  private let failure = Failure()

  private final class Failure: Sendable {
    let first = Mutex<(any Error)?>(nil)
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
    try throwFailure()
    defer { next = collectors.count - 1 - next }
    collectors[next].use(offsets)
    return collectors[next]
  }

  /// Writes a layer, later, and waits until the one before is written.
  ///
  /// - Throws: What emptying the collector throws, where it is the next one, too.
  func write(_ collector: StatisticsCollector, layer: Int) throws {
    writing?.join()
    writing = nil  // and with it the record that it wrote
    let emptied = collectors.count == 1 ? try collector.finish(layer: layer) : nil
    let work: @Sendable () -> Void = { [checkpoint, failure] in
      do {
        try checkpoint.store(emptied ?? collector.finish(layer: layer), layer: layer)
      } catch {
        failure.first.withLock { $0 = $0 ?? error }
      }
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
