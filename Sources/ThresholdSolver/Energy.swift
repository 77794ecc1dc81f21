import ActivationStatistics
import Checkpoints
import Foundation

/// The energy objective: the least `Σ_i E[(g_i·u_i)²]` of what is dropped, at a given share.
///
/// Its thresholds are where every channel's marginal cost is the same number λ (a Lagrange multiplier); λ is found
/// by bisection so that the layer drops its share. CHESS with the rms norm is the special case in which the
/// magnitude of one factor tells nothing of the other.
///
/// Either factor can decide: a channel reads one of its rows always and the other one, with its down column, where
/// it is kept, so that both cost the same bytes. With ``MaskSource/perChannel`` a channel takes the one whose net
/// benefit at λ, `Σ (λ − cost)` over what it would drop, is larger. With a ``sourceShare`` it takes the one that is
/// larger at the λ of that share, whatever share is solved for: such thresholds share a bundle's weights.
///
/// Differences between the norms of down columns and cross terms between channels are neglected.
public struct Energy: ThresholdMethod {
  /// Logarithms of costs: squares of products, between the least that sums resolve and far above any activation.
  private static let logCosts = -100.0...100
  private static let steps = 30

  public let source: MaskSource
  /// The share dropped at which channels choose their source; that which is solved for where it is `nil`.
  public let sourceShare: Double?

  public init(source: MaskSource, sourceShare: Double? = nil) {
    self.source = source
    self.sourceShare = sourceShare
  }

  /// - Complexity: O(channels · bins), and O(channels · log bins) for each sparsity.
  public func prepare(_ layer: LayerStatistics, gateActivation: GateActivation) -> LayerSolver {
    let gate = source == .up ? nil : FactorCosts(layer.gate, other: layer.up, gateActivation)
    let up = source == .gate ? nil : FactorCosts(layer.up, other: layer.gate, nil)
    let problem = LayerCosts(gate: gate, up: up, channels: layer.gate.absoluteSum.count)
    let fixed = sourceShare.flatMap { problem.sources(logCost: logCost(problem, sparsity: $0)) }
    return { solve(problem, sparsity: $0, fixed) }
  }

  /// - Parameter fixed: The sources, where they are not chosen at this sparsity.
  private func solve(_ problem: LayerCosts, sparsity: Double, _ fixed: [Bool]?) -> FactorThresholds {
    guard sparsity > 0, sparsity < 1, problem.total > 0 else {
      let threshold: Float = sparsity < 1 ? 0 : .infinity
      return FactorThresholds(
        [Float](repeating: threshold, count: problem.channels), upDecides: fixed ?? problem.sources(logCost: 0))
    }
    var (sources, range) = (fixed, Self.logCosts)
    if fixed == nil {
      let middle = logCost(problem, sparsity: sparsity)
      (sources, range) = (problem.sources(logCost: middle), middle - 1...middle + 1)
    }
    // Where a channel changes its source the share jumps a little: with sources fixed it is met exactly.
    let wanted = sparsity * problem.total
    let logCost = bisect(range) { problem.dropped(sources, logCost: $0) >= wanted }
    return FactorThresholds(
      problem.thresholds(sources, logCost: logCost).map(Float.init), upDecides: sources)
  }

  /// The logarithm of λ at which channels that choose their source there drop a share of all values.
  private func logCost(_ problem: LayerCosts, sparsity: Double) -> Double {
    let wanted = sparsity * problem.total
    return bisect(Self.logCosts) { problem.dropped(problem.sources(logCost: $0), logCost: $0) >= wanted }
  }

  /// The least number of a range that is large enough, within a few millionths.
  private func bisect(_ range: ClosedRange<Double>, _ isEnough: (Double) -> Bool) -> Double {
    var (low, high) = (range.lowerBound, range.upperBound)
    for _ in 0..<Self.steps {
      let middle = (low + high) / 2
      if isEnough(middle) { high = middle } else { low = middle }
    }
    return high
  }
}

/// Costs of every channel of a layer, if one of the factors decides.
private struct FactorCosts {
  let scores: PooledScores
  /// `nil` for a channel whose products are all 0: it costs nothing.
  private let costs: [MarginalCosts?]
  /// `Σ (g·u)²` below each edge, `[channels, bins + 1]`.
  private let energyBelow: [Double]

  init(_ factor: FactorStatistics, other: FactorStatistics, _ gateActivation: GateActivation?) {
    let bins = LogarithmicBins.count
    let squares = other.squareSum.values
    let energies = factor.energy.values
    scores = PooledScores(
      counts: factor.count, scales: [Double](repeating: 1, count: squares.count), gateActivation: gateActivation)
    costs = squares.indices.map { channel in
      let cells = channel * bins..<(channel + 1) * bins
      let tokens = factor.count[cells].reduce(0, +)
      guard tokens > 0, squares[channel] > 0, energies[cells].contains(where: { $0 > 0 }) else { return nil }
      return MarginalCosts(
        counts: factor.count[cells], energies: energies[cells], otherSquare: squares[channel] / Double(tokens))
    }
    var energyBelow: [Double] = []
    energyBelow.reserveCapacity(squares.count * (bins + 1))
    for channel in squares.indices {
      energyBelow.append(0)
      var sum = 0.0
      for energy in energies[channel * bins..<(channel + 1) * bins] {
        sum += energy
        energyBelow.append(sum)
      }
    }
    self.energyBelow = energyBelow
  }

  func threshold(of channel: Int, logCost: Double) -> Double {
    costs[channel]?.threshold(logCost: logCost) ?? .infinity
  }

  /// `Σ (λ − cost)` over what the channel drops.
  func benefit(of channel: Int, logCost: Double) -> Double {
    let threshold = threshold(of: channel, logCost: logCost)
    let count = scores.count(of: channel, below: threshold)
    guard threshold < .infinity else { return exp(logCost) * count }
    let (bin, share) = scores.position(of: channel, threshold)
    let edge = channel * (LogarithmicBins.count + 1) + bin
    let energy = energyBelow[edge] + share * (energyBelow[edge + 1] - energyBelow[edge])
    return exp(logCost) * count - energy
  }
}

/// A layer's channels with the factors that may decide.
private struct LayerCosts {
  let gate: FactorCosts?
  let up: FactorCosts?
  let channels: Int

  /// Values of all channels.
  var total: Double { (gate ?? up)?.scores.total ?? 0 }

  /// Whether the up projection decides; `nil` where the gate always does.
  func sources(logCost: Double) -> [Bool]? {
    guard let up else { return nil }
    return (0..<channels).map { channel in
      guard let gate else { return true }
      return up.benefit(of: channel, logCost: logCost) > gate.benefit(of: channel, logCost: logCost)
    }
  }

  func thresholds(_ upDecides: [Bool]?, logCost: Double) -> [Double] {
    (0..<channels).map { costs($0, upDecides)?.threshold(of: $0, logCost: logCost) ?? 0 }
  }

  /// Values dropped, of all channels.
  func dropped(_ upDecides: [Bool]?, logCost: Double) -> Double {
    (0..<channels).reduce(0) { sum, channel in
      guard let costs = costs(channel, upDecides) else { return sum }
      return sum + costs.scores.count(of: channel, below: costs.threshold(of: channel, logCost: logCost))
    }
  }

  private func costs(_ channel: Int, _ upDecides: [Bool]?) -> FactorCosts? {
    upDecides?[channel] == true ? up : gate
  }
}
