import Checkpoints
import Corpus
import Foundation
import LinearAlgebra
import Reports
import Transformer

/// Measures `collect` beside the dense forward pass and the machine's rate of matrix products, in one
/// run.
public struct CalibrationBenchmark: Sendable {
  public struct Result: Sendable, Encodable {
    /// Of `collect`, from opening the sample to the finished file.
    public var tokensPerSecond: Double
    /// Of the same forward pass without statistics.
    public var forwardTokensPerSecond: Double
    /// The share of all threads' time in `collect` that is spent inside matrix products.
    public var shareInProducts: Double
    /// The rate inside matrix products, over all threads.
    public var productGflops: Double
    /// The rate of large products, over all threads.
    public var gemmPeakGflops: Double
    /// The products of `collect` over its time, as a share of the peak.
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
    _ = try model.hash  // once a model, not a part of the pass
    let sample = try sample(model.configuration)
    let peak = try MatrixProduct.peakRate(threads: threads)
    let forward = try seconds { try walk(model, sample) }
    ProductMeter.shared.start()
    let calibration = try seconds { try collect(model, sample) }
    let products = ProductMeter.shared.stop()

    let count = Double(sequences * sequenceLength)
    return Result(
      tokensPerSecond: count / calibration, forwardTokensPerSecond: count / forward,
      shareInProducts: products.seconds / (calibration * Double(threads)),
      productGflops: products.operations / products.seconds * Double(threads) / 1e9, gemmPeakGflops: peak / 1e9,
      shareOfPeak: products.operations / calibration / peak)
  }

  /// Any tokens cost the same; these differ, so that activations are not degenerate.
  private func sample(_ configuration: ModelConfiguration) throws -> TokenSequences {
    try TokenSequences(
      tokens: (0..<sequences * sequenceLength).map { Int32($0 * 104_729 % configuration.vocabularySize) },
      sequenceLength: sequenceLength,
      provenance: SampleProvenance(
        seed: 0, requestedTokens: sequences * sequenceLength, endOfText: 0, tokenizer: "none", sources: []))
  }

  private func walk(_ model: Checkpoint, _ sample: TokenSequences) throws {
    let pass = ForwardPass(model.configuration, longest: sequenceLength, threads: threads)
    let states = try pass.embed((0..<sample.count).map { sample[$0] }, model.weights)
    for index in 0..<model.configuration.layerCount {
      try pass.run(model.weights.layer(index), index: index, states, tap: DenseTap())
    }
  }

  private func collect(_ model: Checkpoint, _ sample: TokenSequences) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "gambit-benchmark-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try CollectStage(threads: threads).run(
      model, sample, samplePath: "the benchmark's tokens", output: folder + "/statistics.h5", resuming: .never,
      Console(quiet: true))
  }

  private func seconds(_ body: () throws -> Void) rethrows -> Double {
    let (seconds, attoseconds) = try ContinuousClock().measure(body).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}
