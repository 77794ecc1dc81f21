import ActivationStatistics
import Checkpoints

/// A way to choose below which gate activation a channel of the FFN may be skipped.
public protocol ThresholdMethod: Sendable {
  /// One threshold a channel: channel `i` is kept where `|g_i| ≥ t_i`.
  ///
  /// - Parameters:
  ///   - layer: Statistics of every position of the calibration text.
  ///   - gateActivation: Which activation `g` is of.
  ///   - sparsity: The share to drop, over all channels and tokens of the layer, from 0 to 1.
  /// - Returns: `[intermediateSize]`, none negative.
  func thresholds(_ layer: LayerStatistics, gateActivation: GateActivation, sparsity: Double) -> [Float]
}

/// CATS (Lee et al. 2024, arXiv 2404.08763): one threshold a layer, the quantile of `|g|` over all
/// channels and tokens.
public struct CATS: ThresholdMethod {
  public init() {}

  public func thresholds(_ layer: LayerStatistics, gateActivation: GateActivation, sparsity: Double) -> [Float] {
    let channels = layer.gate.absoluteSum.count
    let scales = [Double](repeating: 1, count: channels)
    return PooledScores(counts: layer.gate.count, scales: scales, gateActivation: gateActivation)
      .thresholds(sparsity: sparsity)
  }
}

/// CHESS, channel-wise thresholding (He et al., EMNLP 2024, section 3.2): the importance of channel
/// `i` is `|g_i| · m_i`, where the typical size `m_i` of `u_i` stands for what is not yet known.
public struct CHESS: ThresholdMethod {
  /// How the typical size of `u_i` is measured.
  public enum Norm: String, Sendable, Codable, CaseIterable {
    /// `E|u_i|`
    case mean
    /// `√E[u_i²]`
    case rms
  }

  public let norm: Norm

  public init(norm: Norm) { self.norm = norm }

  public func thresholds(_ layer: LayerStatistics, gateActivation: GateActivation, sparsity: Double) -> [Float] {
    PooledScores(counts: layer.gate.count, scales: typicalSizes(layer), gateActivation: gateActivation)
      .thresholds(sparsity: sparsity)
  }

  /// `m_i`, `[intermediateSize]`.
  private func typicalSizes(_ layer: LayerStatistics) -> [Double] {
    let bins = LogarithmicBins.count
    let sums = (norm == .mean ? layer.up.absoluteSum : layer.up.squareSum).values
    return sums.indices.map { channel in
      let tokens = layer.gate.count[channel * bins..<(channel + 1) * bins].reduce(0, +)
      guard tokens > 0 else { return 0 }
      let mean = sums[channel] / Double(tokens)
      return norm == .mean ? mean : mean.squareRoot()
    }
  }
}
