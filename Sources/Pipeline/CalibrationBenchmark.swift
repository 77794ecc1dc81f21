import ActivationStatistics
import Checkpoints
import LinearAlgebra
import Transformer

/// Measures the calibration pass beside the machine's rate of matrix products, in one run.
public struct CalibrationBenchmark: Sendable {
  public struct Result: Sendable, Encodable {
    /// With statistics, as `collect` runs, without reading and writing files.
    public var tokensPerSecond: Double
    public var forwardTokensPerSecond: Double
    /// The share of all threads' time that is spent inside matrix products.
    public var shareInProducts: Double
    /// The rate inside matrix products, over all threads.
    public var productGflops: Double
    /// The rate of large products, over all threads.
    public var gemmPeakGflops: Double
    /// The products of the whole pass over its time, as a share of the peak.
    public var shareOfPeak: Double
  }

  public var sequences: Int
  public var sequenceLength: Int
  public var threads: Int

  public init(sequences: Int, sequenceLength: Int, threads: Int) {
    self.sequences = sequences
    self.sequenceLength = sequenceLength
    self.threads = threads
  }

  public func run(_ model: Checkpoint) throws -> Result {
    let configuration = model.configuration
    // Any tokens cost the same; these differ, so that activations are not degenerate.
    let tokens = (0..<sequences).map { s in
      (0..<sequenceLength).map { Int32((s * 7919 + $0 * 104_729) % configuration.vocabularySize) }
    }
    let pass = ForwardPass(configuration, longest: sequenceLength, threads: threads)
    let peak = try peakRate()
    let forward = try seconds { _ = try walk(pass, model, tokens, collecting: false) }
    ProductMeter.shared.start()
    let calibration = try seconds { _ = try walk(pass, model, tokens, collecting: true) }
    let products = ProductMeter.shared.stop()

    let count = Double(sequences * sequenceLength)
    return Result(
      tokensPerSecond: count / calibration, forwardTokensPerSecond: count / forward,
      shareInProducts: products.seconds / (calibration * Double(threads)),
      productGflops: products.operations / products.seconds * Double(threads) / 1e9, gemmPeakGflops: peak / 1e9,
      shareOfPeak: products.operations / calibration / peak)
  }

  private func walk(_ pass: ForwardPass, _ model: Checkpoint, _ tokens: [[Int32]], collecting: Bool) throws {
    let c = model.configuration
    let states = try pass.embed(tokens, model.weights)
    let widths = LayerWidths(hidden: c.hiddenSize, query: c.queryWidth, intermediate: c.intermediateSize)
    for index in 0..<c.layerCount {
      let layer = try model.weights.layer(index)
      guard collecting else {
        try pass.run(layer, index: index, states, tap: DenseTap())
        continue
      }
      let collector = StatisticsCollector(widths, sinkPositions: 0, workers: threads)
      try pass.run(layer, index: index, states, tap: collector)
      _ = try collector.finish(layer: index)
    }
  }

  /// Operations a second of square products that fit the second-level cache's blocking, on all threads
  /// at once: the best of several rounds.
  private func peakRate() throws -> Double {
    let size = 768
    let matrices = (0..<threads).map { _ in
      (0..<3).map { _ in Matrix(rows: size, columns: size, values: [Float](repeating: 0.5, count: size * size)) }
    }
    let products = 4
    let rounds = try (0..<6).map { _ in
      try seconds {
        try forEachIndex(below: threads, threads: threads) { _, thread in
          let m = matrices[thread]
          for _ in 0..<products { MatrixProduct.multiply(m[0].view, transposed: m[1].view, into: m[2].view) }
        }
      }
    }
    let operations = Double(threads * products) * 2 * Double(size * size * size)
    return operations / (rounds.min() ?? .infinity)
  }

  private func seconds(_ body: () throws -> Void) rethrows -> Double {
    let (seconds, attoseconds) = try ContinuousClock().measure(body).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}
