import Evaluation
import ThresholdSolver

/// What `gambit evaluate drift` found.
public struct DriftReport: Sendable, Encodable {
  public enum Verdict: String, Sendable, Encodable {
    /// At every place the mean share is within the tolerance of the calibration text's; where layers are known, the mean
    /// of their differences, too.
    case fits
    case drifted
  }

  /// Where the calibration text's share of each layer is known from.
  public enum LayerCalibration: String, Sendable, Encodable {
    case statistics
    /// Only means over layers are compared: thresholds hold no others.
    case unknown
  }

  public struct Place: Sendable, Encodable {
    public var place: Thresholds.Place
    public var realised: Double
    /// Absent, with what follows from it, where it is not known.
    public var calibration: Double?
    public var difference: Double?
    /// The mean magnitude of layers' differences, of a mean over layers.
    public var layerDifference: Double?
    public var within: Bool?

    init(_ comparison: Drift.Comparison) {
      place = comparison.place
      realised = comparison.realised
      calibration = comparison.calibration
      difference = comparison.difference
      layerDifference = comparison.layerDifference
      within = comparison.isWithin
    }
  }

  public var verdict: Verdict
  public var tolerance: Double
  /// Of the text.
  public var tokens: Int
  public var layerCalibration: LayerCalibration
  /// Means over layers.
  public var places: [Place]
  /// `[layers][places]`
  public var layers: [[Place]]

  init(_ drift: Drift, tokens: Int, tolerance: Double, layersKnown: Bool) {
    verdict = drift.isWithin ? .fits : .drifted
    self.tolerance = tolerance
    self.tokens = tokens
    layerCalibration = layersKnown ? .statistics : .unknown
    places = drift.places.map(Place.init)
    layers = drift.layers.map { $0.map(Place.init) }
  }
}
