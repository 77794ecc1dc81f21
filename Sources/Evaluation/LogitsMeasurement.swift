import Checkpoints
import Transformer

/// Logits of a model at every position of given sequences.
public struct LogitsMeasurement: Sendable {
  private let weights: any WeightSource
  private let threads: Int

  public init(_ weights: any WeightSource, threads: Int) {
    self.weights = weights
    self.threads = threads
  }

  /// - Returns: `[all tokens, vocabularySize]`, sequence by sequence.
  public func run(_ sequences: [[Int32]]) throws -> [Float] {
    let configuration = weights.configuration
    let pass = ForwardPass(configuration, longest: sequences.map(\.count).max() ?? 0, threads: threads)
    let states = try pass.embed(sequences, weights)
    for index in 0..<configuration.layerCount {
      try pass.run(weights.layer(index), index: index, states, tap: DenseTap())
    }
    let head = try pass.outputHead(weights)
    return try sequences.indices.flatMap { index in
      head.logits(try states.sequence(index), rows: 0..<sequences[index].count).values
    }
  }
}
