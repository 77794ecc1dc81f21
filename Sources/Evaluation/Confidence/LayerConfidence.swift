import ActivationStatistics
import Checkpoints
import Foundation
import ThresholdSolver

/// How far chance in the choice of the calibration text moves one layer's thresholds, and the shares that they drop of
/// text of the same kind.
///
/// Thresholds are solved from all shards of the text, and from all but one, for each of them; what these drop of the
/// shard that was left out is measured on text that they have not seen.
public struct LayerConfidence: Sendable, Equatable {
  public struct Place: Sendable, Equatable {
    public let place: Thresholds.Place
    /// The share that thresholds solved from all shards drop of them.
    public let share: Double
    /// The shares that thresholds solved from the others drop of each shard, `[shards]`.
    public let heldOut: [Double]
    /// Standard error of the share dropped of other text of the same kind.
    public let shareError: Double
    /// Relative standard errors of thresholds, ascending. Thresholds of 0 and ∞ have none, nor has a channel whose
    /// deciding factor is another one for some shards.
    public let thresholdErrors: [Double]
    /// Thresholds in all.
    public let thresholdCount: Int

    /// The median of ``thresholdErrors``; `nil` where no threshold has one. Not the largest: some channels are hardly
    /// ever active, and a layer's output does not depend on them.
    public var typicalThresholdError: Double? { thresholdErrors.quantile(0.5) }
  }

  public let places: [Place]

  /// - Parameters:
  ///   - shards: What each of two or more shards of a text tells of the layer.
  ///   - jackknife: Of as many shards.
  ///   - places: What the request drops where; the sparsity everywhere unless given.
  /// - Complexity: That of solving the layer once more than there are shards.
  public init(
    _ shards: [LayerRecord], _ jackknife: Jackknife, _ request: SolverRequest, places: BudgetShares? = nil,
    gateActivation: GateActivation
  ) {
    func solve(_ record: LayerRecord) -> Thresholds.Layer {
      Thresholds.Layer.solve(record, [request], places: places.map { [$0] }, gateActivation: gateActivation)[0]
    }
    precondition(shards.count == jackknife.weights.count)
    var total = shards[0]
    for shard in shards.dropFirst() { total += shard }
    let whole = solve(total)
    let shares = whole.sharesDropped(total, gateActivation: gateActivation)
    var without: [Thresholds.Layer] = []
    var heldOut: [Thresholds.Shares] = []
    for shard in shards {
      var rest = total
      rest -= shard
      let layer = solve(rest)
      without.append(layer)
      heldOut.append(layer.sharesDropped(shard, gateActivation: gateActivation))
    }
    self.places = Thresholds.Place.allCases.compactMap { place in
      guard let share = shares[place], let thresholds = whole[place] else { return nil }
      let others = heldOut.map { $0[place] ?? 0 }
      return Place(
        place: place, share: share, heldOut: others,
        shareError: jackknife.standardError(surprises: others.map { $0 - share }),
        thresholdErrors: Self.relativeErrors(place, whole, without, jackknife), thresholdCount: thresholds.count)
    }
  }

  /// Of the logarithms of thresholds, which are what scores of a channel are multiplied with.
  private static func relativeErrors(
    _ place: Thresholds.Place, _ whole: Thresholds.Layer, _ without: [Thresholds.Layer], _ jackknife: Jackknife
  ) -> [Double] {
    let thresholds = whole[place] ?? []
    let others = without.map { $0[place] ?? [] }
    return thresholds.indices.compactMap { channel -> Double? in
      let changes = others.map { log(Double($0[channel]) / Double(thresholds[channel])) }
      guard changes.allSatisfy(\.isFinite) else { return nil }
      if place == .ffn, without.contains(where: { $0.upDecides?[channel] != whole.upDecides?[channel] }) { return nil }
      return jackknife.standardError(changes: changes)
    }.sorted()
  }
}
