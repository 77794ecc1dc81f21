import ActivationStatistics
import Checkpoints

/// What thresholds do to one channel of the FFN, by the statistics of a text.
public struct ChannelOutlook: Sendable, Equatable {
  /// What the threshold is compared with.
  public enum Factor: String, Sendable, Codable {
    case gate, up
    /// The product by high planes, of weights in planes.
    case score
  }

  public var factor: Factor
  public var threshold: Float
  /// The share of tokens whose factor reaches the threshold.
  public var keptShare: Double
  /// Mean over tokens of `(g·u)²` where the channel is dropped, 0 where it is kept: what its column of the down
  /// projection no longer adds, before that column's own weights.
  public var energyLost: Double
}

extension Thresholds.Layer {
  /// What the first cut does to each channel. Inside a bin values count as evenly spread, and their energy likewise.
  ///
  /// - Complexity: O(channels · bins).
  public func outlook(_ record: LayerRecord, gateActivation: GateActivation) -> [ChannelOutlook] {
    let statistics = record.all
    if full != nil, let scores = statistics.scores {
      let factor = FactorOutlook(scores.count, scores.energy, nil)
      return ffn.indices.map { factor.channel($0, .score, ffn[$0]) }
    }
    let gate = FactorOutlook(statistics.gate.count, statistics.gate.energy, gateActivation)
    let up = FactorOutlook(statistics.up.count, statistics.up.energy, nil)
    return ffn.indices.map { channel in
      upDecides?[channel] == true
        ? up.channel(channel, .up, ffn[channel]) : gate.channel(channel, .gate, ffn[channel])
    }
  }
}

private struct FactorOutlook {
  let scores: PooledScores
  let energy: [Double]
  /// Of one channel.
  let tokens: Double

  init(_ counts: [Int64], _ energy: ExactSums, _ gateActivation: GateActivation?) {
    let channels = counts.count / LogarithmicBins.count
    scores = PooledScores(
      counts: counts, scales: [Double](repeating: 1, count: channels), gateActivation: gateActivation)
    self.energy = energy.values
    tokens = max(scores.total / Double(max(channels, 1)), 1)
  }

  func channel(_ index: Int, _ factor: ChannelOutlook.Factor, _ threshold: Float) -> ChannelOutlook {
    let row = index * LogarithmicBins.count
    var lost = 0.0
    if threshold == .infinity {
      lost = energy[row..<row + LogarithmicBins.count].reduce(0, +)
    } else {
      let (bin, share) = scores.position(of: index, Double(threshold))
      lost = energy[row..<row + bin].reduce(0, +) + share * energy[row + bin]
    }
    return ChannelOutlook(
      factor: factor, threshold: threshold, keptShare: 1 - scores.count(of: index, below: Double(threshold)) / tokens,
      energyLost: lost / tokens)
  }
}
