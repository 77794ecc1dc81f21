import Checkpoints
import ThresholdSolver

/// How many weights a token reads: those of every layer, the output head, and one embedding row.
public struct ActivatedParameters: Sendable, Equatable {
  public let dense: Double
  public let sparse: Double

  /// The weights read, as a share of what the dense model reads.
  public var share: Double { sparse / dense }

  /// - Parameter shares: What each layer drops.
  public init(_ c: ModelConfiguration, shares: [Thresholds.Shares]) {
    let hidden = Double(c.hiddenSize)
    let query = hidden * Double(c.queryWidth)  // the output projection has as many
    let keyAndValue = 2 * hidden * Double(c.keyValueWidth)
    let factor = hidden * Double(c.intermediateSize)  // gate, up and down have as many each
    let norms = (c.hasPostNorms ? 4 : 2) * hidden + (c.hasQueryKeyNorm ? 2 * Double(c.headDimension) : 0)
    let biases = c.hasAttentionBias ? Double(c.queryWidth + 2 * c.keyValueWidth) : 0

    let layer = 2 * query + keyAndValue + 3 * factor + norms + biases
    dense = layer * Double(c.layerCount) + hidden * Double(c.vocabularySize) + 2 * hidden
    sparse = shares.reduce(dense) { rest, dropped in
      rest - query * ((dropped.query ?? 0) + (dropped.output ?? 0)) - factor
        * (dropped.ffn + (dropped.down ?? dropped.ffn))
    }
  }
}
