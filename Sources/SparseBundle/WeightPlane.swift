import Checkpoints

/// One of the two halves that the bits of weights are stored in. The high plane alone stands for the middle of all weights
/// that share it; both together are the weights themselves.
public enum WeightPlane: String, Sendable, CaseIterable {
  case high
  case low
}

extension PlaneFormat {
  /// How the same weights are stored in one piece.
  package var unsplit: WeightType {
    switch self {
    case .int8: .int8
    case .f16: .f16
    }
  }
}
