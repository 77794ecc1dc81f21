import ThresholdSolver

/// Whether thresholds drop of a text what they dropped of the text that they were solved on.
public struct Drift: Sendable, Equatable {
  /// The shares dropped at one place.
  public struct Comparison: Sendable, Equatable {
    public let place: Thresholds.Place
    /// Of the text.
    public let realised: Double
    /// Of the calibration text; `nil` where it is not known.
    public let calibration: Double?
    /// Of a mean over layers: the mean magnitude of the layers' own differences. Layers that drop more hide others that
    /// drop less from a mean, but not from this. `nil` where it is not known.
    public let layerDifference: Double?
    /// How far the first may be from the second.
    public let tolerance: Double

    public var difference: Double? { calibration.map { realised - $0 } }
    /// Whether neither difference is beyond the tolerance; `nil` where there is nothing to compare with.
    public var isWithin: Bool? { difference.map { max($0.magnitude, layerDifference ?? 0) <= tolerance } }
  }

  /// Means over layers, one a place where thresholds cut.
  public let places: [Comparison]
  /// The same of each layer by itself.
  public let layers: [[Comparison]]

  /// Whether every place is within the tolerance. Single layers do not decide: they see what masks left of the layers
  /// before them, which statistics of the dense model do not, so that some are further off on any text.
  public var isWithin: Bool { places.allSatisfy { $0.isWithin != false } }

  /// - Parameters:
  ///   - realised: Of the text, a layer each.
  ///   - calibration: The mean over layers of the calibration text.
  ///   - layers: The calibration text's by layer; `nil` where only the mean is known.
  ///   - tolerance: How far means and layers may be apart.
  public init(
    realised: [Thresholds.Shares], calibration: Thresholds.Shares, layers: [Thresholds.Shares]?, tolerance: Double
  ) {
    func compare(
      _ realised: Thresholds.Shares, _ calibration: Thresholds.Shares?,
      layers: (Thresholds.Place) -> Double? = { _ in nil }
    ) -> [Comparison] {
      Thresholds.Place.allCases.compactMap { place in
        realised[place].map {
          Comparison(
            place: place, realised: $0, calibration: calibration?[place], layerDifference: layers(place),
            tolerance: tolerance)
        }
      }
    }
    let byLayer = realised.enumerated().map { compare($1, layers?[$0]) }
    self.layers = byLayer
    places = compare(Thresholds.Shares(meanOf: realised), calibration) { place in
      let differences = byLayer.joined().filter { $0.place == place }.compactMap { $0.difference?.magnitude }
      return differences.isEmpty ? nil : differences.reduce(0, +) / Double(differences.count)
    }
  }
}
