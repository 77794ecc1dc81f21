import SparseBundle

/// Who decides what a token keeps.
public enum KeepRule: Sendable {
  /// Everything is kept.
  case dense
  /// A channel is kept where its magnitude reaches its threshold.
  case thresholds
  /// What was recorded elsewhere is kept, one entry a layer, and a flag for each row of an output head that is read on
  /// demand; where thresholds would have decided otherwise, the decoder notes a disagreement.
  case recorded([KeptChannels], head: [Bool]? = nil)

  var isDense: Bool { if case .dense = self { true } else { false } }
}

/// A decision that thresholds would have made differently from the recorded one.
public struct Disagreement: Sendable, Equatable {
  /// `nil` of the output head, whose channels are rows and whose magnitudes are logits, with their sign.
  public let layer: Int?
  public let channel: Int
  public let magnitude: Float
  public let threshold: Float
  /// What rounding is in proportion to.
  private let scale: Float

  init(layer: Int, channel: Int, magnitude: Float, threshold: Float) {
    self.layer = layer
    self.channel = channel
    self.magnitude = magnitude
    self.threshold = threshold
    scale = max(threshold, .leastNormalMagnitude)
  }

  /// Of a row of the output head.
  ///
  /// - Parameter greatest: Of all logits by high planes alone. The threshold is a difference that may be near 0 where
  ///   logits are not.
  init(row: Int, logit: Float, least: Float, greatest: Float) {
    layer = nil
    channel = row
    magnitude = logit
    threshold = least
    scale = max(greatest.magnitude, 1)
  }

  /// How far the magnitude is from the threshold, as a share of it, or of the greatest logit: tiny where only the
  /// rounding of two ways to add differs.
  public var margin: Float { (magnitude - threshold).magnitude / scale }

  /// Where it is, in words.
  public var place: String { layer.map { "layer \($0), channel \(channel)" } ?? "output head, row \(channel)" }
}
