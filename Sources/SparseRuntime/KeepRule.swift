import SparseBundle

/// Who decides what a token keeps.
public enum KeepRule: Sendable {
  /// Everything is kept.
  case dense
  /// A channel is kept where its magnitude reaches its threshold.
  case thresholds
  /// What was recorded elsewhere is kept, one entry a layer; where thresholds would have decided
  /// otherwise, the decoder notes a disagreement.
  case recorded([KeptChannels])

  var isDense: Bool { if case .dense = self { true } else { false } }
}

/// A decision that thresholds would have made differently from the recorded one.
public struct Disagreement: Sendable, Equatable {
  public let layer: Int
  public let channel: Int
  public let magnitude: Float
  public let threshold: Float

  /// How far the magnitude is from the threshold, as a share of it: tiny where only the rounding of
  /// two ways to add differs.
  public var margin: Float { (magnitude - threshold).magnitude / max(threshold, .leastNormalMagnitude) }
}
