import ActivationStatistics
import Checkpoints
import Corpus
import Transformer

/// Finds what high planes leave out of the sums of gate and up on the mean, by a forward pass over a part of a sample.
///
/// Scores are counted with these offsets added, so that they have to be known before. They depend on the whole sample, not
/// on the shard that is read of it: shards then add up.
struct OffsetProbe {
  /// Means are known well enough: each has the error of one activation in 64.
  static let tokens = 4096

  /// In planes.
  let weights: any WeightSource
  let threads: Int

  static func sequences(of sample: TokenSequences) -> [[Int32]] { sample.evenlySpaced(tokens: tokens) }

  /// One a layer.
  ///
  /// - Parameter finished: Called with the tokens of each sequence that is through a layer, from any thread.
  /// - Complexity: a forward pass, with one layer and its high planes in memory.
  func run(_ sequences: [[Int32]], finished: @Sendable (_ tokens: Int) -> Void = { _ in }) throws -> [PlaneOffsets] {
    guard let high = weights.highPlanes else { preconditionFailure("weights without planes") }
    let pass = ForwardPass(
      weights.configuration, longest: sequences.map(\.count).max() ?? 0, threads: threads)
    let states = try pass.embed(sequences, weights)
    return try (0..<weights.configuration.layerCount).map { index in
      let (layer, tap) = (try weights.layer(index), MeanInputTap(sequences: sequences.count))
      try pass.run(layer, index: index, states, tap: tap, finished: finished)
      return PlaneOffsets(layer, high: try high.layer(index), meanInput: tap.mean)
    }
  }
}
