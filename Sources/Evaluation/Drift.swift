import ThresholdSolver

/// Whether thresholds drop of a text what they dropped of the text that they were solved on.
public struct Drift: Sendable, Equatable {
  /// Where thresholds cut.
  public enum Place: String, Sendable, Codable, CaseIterable {
    case ffn, down, query, output
  }

  /// The shares dropped at one place.
  public struct Comparison: Sendable, Equatable {
    public let place: Place
    /// Of the text.
    public let realised: Double
    /// Of the calibration text; `nil` where it is not known.
    public let calibration: Double?
    /// How far the first may be from the second.
    public let tolerance: Double

    public var difference: Double? { calibration.map { realised - $0 } }
    /// `nil` where there is nothing to compare with.
    public var isWithin: Bool? { difference.map { $0.magnitude <= tolerance } }
  }

  /// Means over layers, one a place where thresholds cut.
  public let places: [Comparison]
  /// The same of each layer by itself.
  public let layers: [[Comparison]]

  /// Whether the mean of every place is within the tolerance. Layers are there to say where a drift comes from, not to
  /// find it: what one drops more, the next may drop less.
  public var isWithin: Bool { places.allSatisfy { $0.isWithin != false } }

  /// - Parameters:
  ///   - realised: Of the text, a layer each.
  ///   - calibration: The mean over layers of the calibration text.
  ///   - layers: The calibration text's by layer; `nil` where only the mean is known.
  ///   - tolerance: How far means and layers may be apart.
  public init(
    realised: [Thresholds.Shares], calibration: Thresholds.Shares, layers: [Thresholds.Shares]?, tolerance: Double
  ) {
    func compare(_ realised: Thresholds.Shares, _ calibration: Thresholds.Shares?) -> [Comparison] {
      Place.allCases.compactMap { place in
        realised[place].map {
          Comparison(place: place, realised: $0, calibration: calibration?[place], tolerance: tolerance)
        }
      }
    }
    places = compare(Thresholds.Shares(meanOf: realised), calibration)
    self.layers = realised.enumerated().map { compare($1, layers?[$0]) }
  }
}

extension Thresholds.Shares {
  /// `nil` where nothing is cut.
  fileprivate subscript(_ place: Drift.Place) -> Double? {
    switch place {
    case .ffn: ffn
    case .down: down
    case .query: query
    case .output: output
    }
  }
}
