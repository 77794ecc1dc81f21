import ActivationStatistics
import Checkpoints
import Corpus
import Foundation
import Reports
import SparseBundle
import ThresholdSolver
import Tokenizers
import Transformer

/// text and a dense model → histograms of its gate activations, for what thresholds alone do not tell
public struct GateMeasurement: Sendable {
  /// Enough for the share that a channel is kept of to be known within some half a percent.
  private static let tokens = 8192

  public var text: LossText
  public var threads: Int

  public init(text: LossText, threads: Int) {
    self.text = text
    self.threads = threads
  }

  /// What was counted, a layer each, and of what text.
  public struct Measured: Sendable {
    public var layers: [GateHistograms]
    public var text: ProbedText
  }

  /// The same of a bundle's weights; on a part of the sample that its statistics were collected of, where that lies beside
  /// it as `sample.h5` and no other text is given.
  ///
  /// - Throws: What reading sample and text throws, or ``PipelineError`` where there is too little of it.
  public func run(_ bundle: ModelBundle, _ console: Console) throws -> Measured {
    let found = try sampleWindows(bundle) ?? windows(bundle.tokenizer, bundle.configuration, model: bundle.path)
    return try run(bundle.weights, found, console)
  }

  /// - Complexity: A forward pass, with one layer in memory.
  func run(_ weights: any WeightSource, _ windows: ProbeWindows, _ console: Console) throws -> Measured {
    let c = weights.configuration
    let pass = ForwardPass(c, longest: windows.windows.map(\.count).max() ?? 0, threads: threads)
    let total = Double(windows.probed.tokens * c.layerCount)
    let layers = try console.task("gate activations", total: total, unit: "tokens x layers") { task in
      let states = try pass.embed(windows.windows, weights)
      let tap = GateHistogramTap(channels: c.intermediateSize, workers: threads)
      return try (0..<c.layerCount).map { index in
        try pass.run(weights.layer(index), index: index, states, tap: tap) { task.advance(by: Double($0)) }
        return try tap.finish(layer: index)
      }
    }
    return Measured(layers: layers, text: windows.probed)
  }

  func windows(_ tokenizer: TokenizerModel, _ c: ModelConfiguration, model: String) throws -> ProbeWindows {
    ProbeWindows(windows: try text.windows(tokenizer, c, model: model, atMost: Self.tokens), text: try text.name())
  }

  private func sampleWindows(_ bundle: ModelBundle) throws -> ProbeWindows? {
    let path = URL(filePath: bundle.path).deletingLastPathComponent().appending(path: "sample.h5")
    guard text == .builtIn, FileManager.default.fileExists(atPath: path.path) else { return nil }
    let sample = try TokenSequences(contentsOf: path)
    guard sample.contentHash == bundle.manifest.sparsification.corpusSha256 else { return nil }
    return ProbeWindows(windows: sample.evenlySpaced(tokens: Self.tokens), text: sample.contentHash)
  }
}
