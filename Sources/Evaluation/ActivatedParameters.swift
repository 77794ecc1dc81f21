import Checkpoints
import SparseBundle
import ThresholdSolver

/// How many weights a token reads: those of every layer, the output head, and one embedding row.
public struct ActivatedParameters: Sendable, Equatable {
  public let dense: Double
  public let sparse: Double

  /// The weights read, as a share of what the dense model reads.
  public var share: Double { sparse / dense }

  /// - Parameter shares: What each layer drops; none where every channel is kept.
  public init(_ c: ModelConfiguration, shares: [Thresholds.Shares]) {
    var dense = Double(c.hiddenSize * (c.vocabularySize + 2))  // the head, one embedding row, the final norm
    // A row of the head of which one plane is read counts as half of one.
    var skipped = Double(c.hiddenSize * c.vocabularySize) * (1 - (shares.first?.fullHead ?? 1)) / 2
    for index in 0..<c.layerCount {
      for part in LayerTensor.allCases {
        let weights = Double(c.shape(of: .layer(index, part))?.reduce(1, *) ?? 0)
        dense += weights
        if index < shares.count { skipped += weights * shares[index].unread(part) }
      }
    }
    self.dense = dense
    sparse = dense - skipped
  }
}
