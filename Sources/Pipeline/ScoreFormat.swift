import Checkpoints
import SparseBundle

/// Formats of weights in planes, whose scores can be collected.
public enum ScoreFormat: String, Sendable, CaseIterable, Codable {
  /// Codes of 8 bits in two planes of four.
  case int8Planes = "int8-planes"

  /// A model's weights, rounded to the format.
  func rounded(_ weights: any WeightSource) -> PlaneWeights { PlaneWeights(weights) }
}
