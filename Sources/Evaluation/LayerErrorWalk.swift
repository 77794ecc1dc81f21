import Checkpoints
import ThresholdSolver
import Transformer

/// How far each layer's output is from the dense one's where thresholds cut this layer alone, in one walk through the
/// model: every layer is tried on the input that the dense model has there, as often as the caller likes.
public struct LayerErrorWalk {
  private let weights: any WeightSource
  private let threads: Int

  public init(_ weights: any WeightSource, threads: Int) {
    self.weights = weights
    self.threads = threads
  }

  /// One layer to be tried.
  public struct Trial {
    public let index: Int
    public let weights: LayerWeights
    private let measure: (Thresholds.Layer) throws -> Double

    fileprivate init(index: Int, weights: LayerWeights, measure: @escaping (Thresholds.Layer) throws -> Double) {
      self.index = index
      self.weights = weights
      self.measure = measure
    }

    /// `‖Y − Ŷ‖₂` over all positions and channels of the layer's output, thresholds acting on all positions.
    ///
    /// - Complexity: one layer's pass over the sequences.
    public func error(_ thresholds: Thresholds.Layer) throws -> Double { try measure(thresholds) }
  }

  /// - Parameter body: Called for each layer in turn.
  /// - Complexity: memory for three times the sequences' hidden states.
  public func run(_ sequences: [[Int32]], _ body: (Trial) throws -> Void) throws {
    let c = weights.configuration
    let pass = ForwardPass(c, longest: sequences.map(\.count).max() ?? 0, threads: threads)
    var input = try pass.embed(sequences, weights)
    var output = try HiddenStates(lengths: input.lengths, width: input.width)
    let tried = try HiddenStates(lengths: input.lengths, width: input.width)
    for index in 0..<c.layerCount {
      let layer = try weights.layer(index)
      try output.update(from: input)
      try pass.run(layer, index: index, output, tap: DenseTap())
      let (before, dense) = (input, output)
      try body(
        Trial(index: index, weights: layer) { thresholds in
          try tried.update(from: before)
          try pass.run(layer, index: index, tried, tap: ThresholdTap(thresholds))
          return try dense.distance(to: tried)
        })
      (input, output) = (output, input)
    }
  }
}
