import ThresholdSolver

/// How far chance in the choice of the calibration text moves a model's thresholds, and the shares that they drop.
public struct Confidence: Sendable, Equatable {
  /// All layers at one place.
  public struct Place: Sendable, Equatable {
    public let place: Thresholds.Place
    /// Of the calibration text, the mean over layers.
    public let share: Double
    /// What thresholds drop of text that they were not solved from, the mean over layers and tokens.
    public let heldOutShare: Double
    /// Standard error of the mean over layers of the share that thresholds drop of other text of the same kind.
    public let shareError: Double
    /// The same of single layers, ascending: `[layers]`.
    public let layerShareErrors: [Double]
    /// Each layer's typical relative standard error of a threshold, ascending; of layers that have one.
    public let layerThresholdErrors: [Double]
    /// Relative standard errors of thresholds of all layers, ascending.
    public let thresholdErrors: [Double]
    public let thresholdCount: Int
  }

  public let layers: [LayerConfidence]
  public let places: [Place]

  /// - Parameter layers: All layers of a model, by the same shards.
  public init(_ layers: [LayerConfidence], _ jackknife: Jackknife) {
    self.layers = layers
    places = Thresholds.Place.allCases.compactMap { place in
      let found = layers.compactMap { layer in layer.places.first { $0.place == place } }
      guard !found.isEmpty else { return nil }
      func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(found.count) }
      let share = mean(found.map(\.share))
      let heldOut = jackknife.weights.indices.map { shard in mean(found.map { $0.heldOut[shard] }) }
      return Place(
        place: place, share: share, heldOutShare: zip(jackknife.weights, heldOut).reduce(0) { $0 + $1.0 * $1.1 },
        shareError: jackknife.standardError(surprises: heldOut.map { $0 - share }),
        layerShareErrors: found.map(\.shareError).sorted(),
        layerThresholdErrors: found.compactMap(\.typicalThresholdError).sorted(),
        thresholdErrors: found.flatMap(\.thresholdErrors).sorted(),
        thresholdCount: found.reduce(0) { $0 + $1.thresholdCount })
    }
  }

  /// The largest standard error of a layer's share at any place.
  public var largestShareError: Double { places.compactMap(\.layerShareErrors.last).max() ?? 0 }
  /// The largest typical standard error of a layer's thresholds at any place.
  public var largestThresholdError: Double { places.compactMap(\.layerThresholdErrors.last).max() ?? 0 }
}

extension [Double] {
  /// The least of ascending numbers that a share of them does not exceed; `nil` of none.
  public func quantile(_ share: Double) -> Double? {
    isEmpty ? nil : self[Swift.max(0, Swift.min(count, Int((share * Double(count)).rounded(.up))) - 1)]
  }
}
