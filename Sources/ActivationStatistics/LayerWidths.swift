import Histograms

/// Channels at each place of a layer, and whether scores are counted.
public struct LayerWidths: Sendable, Equatable {
  public var hidden: Int
  public var query: Int
  public var intermediate: Int
  public var hasScores: Bool

  /// Of a place where nothing is counted.
  static let none = LayerWidths(hidden: 0, query: 0, intermediate: 0)

  public init(hidden: Int, query: Int, intermediate: Int, hasScores: Bool = false) {
    self.hidden = hidden
    self.query = query
    self.intermediate = intermediate
    self.hasScores = hasScores
  }
}

extension LayerWidths {
  /// Bytes that threads count into, those of sinks apart.
  package func bytesToCount(sinkPositions: Int, workers: Int) -> Int {
    let bins = LogarithmicBins.count
    let factors = 2 * MemoryLayout<FactorHistograms.Cell>.stride + MemoryLayout<Int64>.stride
    let scores = hasScores ? ScoreAccumulator.bytesPerCell : 0
    let worker = bins * ((factors + scores) * intermediate + MemoryLayout<Int64>.stride * (2 * hidden + query))
    return worker * workers * (sinkPositions > 0 ? 2 : 1)
  }

  /// Bytes of one kind of position's ``LayerStatistics``.
  package var bytesOfStatistics: Int {
    let (count, sum) = (MemoryLayout<Int64>.stride, MemoryLayout<Int128>.stride)
    let factors = 2 * (count + 2 * sum) + count
    let scores = hasScores ? count + 2 * sum : 0
    return LogarithmicBins.count * ((factors + scores) * intermediate + count * (2 * hidden + query))
  }
}
