import ActivationStatistics
import Checkpoints

/// Which factor of a channel decides: the gate activation `g`, the up projection `u`, or each channel's own. The
/// other factor's row is read only where the channel is kept.
public enum MaskSource: String, Sendable, Codable, CaseIterable {
  case gate
  case up
  case perChannel = "per-channel"
}

/// Where a layer's channels are cut.
public struct FactorThresholds: Sendable, Equatable {
  /// `[intermediateSize]`, none negative.
  public var thresholds: [Float]
  /// Whether `u` decides instead of `g`, `[intermediateSize]`; `nil` where `g` always does.
  public var upDecides: [Bool]?

  public init(_ thresholds: [Float], upDecides: [Bool]? = nil) {
    self.thresholds = thresholds
    self.upDecides = upDecides
  }
}

/// A way to choose below which value of one factor a channel of the FFN may be skipped.
public protocol ThresholdMethod: Sendable {
  /// What is the same at every sparsity, done once: the solver that is handed out finds one threshold a channel, such
  /// that channel `i` is kept where the factor that decides is at least `t_i`.
  ///
  /// - Parameters:
  ///   - layer: Statistics of every position of the calibration text.
  ///   - gateActivation: Which activation `g` is of.
  func prepare(_ layer: LayerStatistics, gateActivation: GateActivation) -> LayerSolver
}

/// From the share to drop, over all channels and tokens of a layer, 0 to 1, to thresholds.
public typealias LayerSolver = (_ sparsity: Double) -> FactorThresholds

/// CATS (Lee et al. 2024, arXiv 2404.08763): one threshold a layer, the quantile of `|g|` over all
/// channels and tokens.
public struct CATS: ThresholdMethod {
  public init() {}

  public func prepare(_ layer: LayerStatistics, gateActivation: GateActivation) -> LayerSolver {
    let scales = [Double](repeating: 1, count: layer.gate.absoluteSum.count)
    let scores = PooledScores(counts: layer.gate.count, scales: scales, gateActivation: gateActivation)
    return { FactorThresholds(scores.thresholds(sparsity: $0)) }
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
  /// With the up projection deciding, the factors change their parts: the score is `|u_i|` times the typical size
  /// of `g_i`.
  public let upDecides: Bool

  public init(norm: Norm, upDecides: Bool = false) {
    self.norm = norm
    self.upDecides = upDecides
  }

  public func prepare(_ layer: LayerStatistics, gateActivation: GateActivation) -> LayerSolver {
    let (deciding, other) = upDecides ? (layer.up, layer.gate) : (layer.gate, layer.up)
    let scores = PooledScores(
      counts: deciding.count, scales: typicalSizes(other), gateActivation: upDecides ? nil : gateActivation)
    let sources = upDecides ? [Bool](repeating: true, count: other.absoluteSum.count) : nil
    return { FactorThresholds(scores.thresholds(sparsity: $0), upDecides: sources) }
  }

  /// `m_i`, `[intermediateSize]`.
  private func typicalSizes(_ factor: FactorStatistics) -> [Double] {
    let bins = LogarithmicBins.count
    let sums = (norm == .mean ? factor.absoluteSum : factor.squareSum).values
    return sums.indices.map { channel in
      let tokens = factor.count[channel * bins..<(channel + 1) * bins].reduce(0, +)
      guard tokens > 0 else { return 0 }
      let mean = sums[channel] / Double(tokens)
      return norm == .mean ? mean : mean.squareRoot()
    }
  }
}
