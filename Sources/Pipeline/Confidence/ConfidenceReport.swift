import Evaluation
import Reports
import ThresholdSolver

/// What `gambit confidence` found.
public struct ConfidenceReport: Sendable, Equatable, Codable {
  public struct Place: Sendable, Equatable, Codable {
    public var place: Thresholds.Place
    /// Dropped of the calibration text.
    public var share: Double
    /// Dropped of text that thresholds were not solved from.
    public var heldOutShare: Double
    /// Of the share dropped of other text of the same kind.
    public var shareStderr: Double
    /// Of means over layers alone: the largest one of a single layer.
    public var layerShareStderr: Double?
    /// Relative, half and 90% of thresholds are below; absent where no threshold has one.
    public var thresholdStderr: Double?
    public var thresholdStderr90: Double?
    /// Of all layers alone: the largest median of a single one.
    public var layerThresholdStderr: Double?
    /// Thresholds that have a standard error, and all.
    public var compared: Int
    public var thresholds: Int
  }

  public var request: SolverRequest
  /// Of each shard.
  public var shardTokens: [Int]
  public var tokens: Int
  /// The largest standard error of a layer's share.
  public var largestShareStderr: Double
  /// The largest median of a layer's relative standard errors of thresholds.
  public var largestThresholdStderr: Double
  /// Means over layers.
  public var places: [Place]
  /// `[layers][places]`
  public var layers: [[Place]]

  init(_ confidence: Confidence, _ request: SolverRequest, tokens: [Int]) {
    self.request = request
    shardTokens = tokens
    self.tokens = tokens.reduce(0, +)
    largestShareStderr = confidence.largestShareError
    largestThresholdStderr = confidence.largestThresholdError
    let weights = Jackknife(tokens: tokens).weights
    places = confidence.places.map { place in
      Place(
        place: place.place, share: place.share, heldOutShare: place.heldOutShare, shareStderr: place.shareError,
        layerShareStderr: place.layerShareErrors.last, thresholdStderr: place.thresholdErrors.quantile(0.5),
        thresholdStderr90: place.thresholdErrors.quantile(0.9),
        layerThresholdStderr: place.layerThresholdErrors.last, compared: place.thresholdErrors.count,
        thresholds: place.thresholdCount)
    }
    layers = confidence.layers.map { layer in
      layer.places.map { place in
        Place(
          place: place.place, share: place.share,
          heldOutShare: zip(weights, place.heldOut).reduce(0) { $0 + $1.0 * $1.1 }, shareStderr: place.shareError,
          layerShareStderr: nil, thresholdStderr: place.typicalThresholdError,
          thresholdStderr90: place.thresholdErrors.quantile(0.9), compared: place.thresholdErrors.count,
          thresholds: place.thresholdCount)
      }
    }
  }

  /// Whether every layer's shares, and half of its thresholds at each place, have no larger standard error.
  func isWithin(_ limit: Double) -> Bool { max(largestShareStderr, largestThresholdStderr) <= limit }

  /// Means over layers, for a terminal.
  public var table: TextTable {
    func percent(_ share: Double?) -> String { share.map { Format.fixed($0 * 100, 2) + "%" } ?? "–" }
    var table = TextTable([
      "place", "share", "held out", "± mean", "± layer", "± threshold", "90%", "± layer's", "compared",
    ])
    for place in places {
      table.add([
        place.place.rawValue, percent(place.share), percent(place.heldOutShare), percent(place.shareStderr),
        percent(place.layerShareStderr), percent(place.thresholdStderr), percent(place.thresholdStderr90),
        percent(place.layerThresholdStderr),
        "\(place.compared) of \(place.thresholds)",
      ])
    }
    return table
  }
}
