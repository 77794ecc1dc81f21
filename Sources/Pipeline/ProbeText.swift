import Checkpoints
import Corpus
import Foundation
import Tokenizers

/// The little text that solving measures on where statistics do not tell.
struct ProbeText {
  let model: Checkpoint
  /// Token sequences to take some of; a text that is part of the program where it is `nil`.
  let sample: String?

  /// - Parameter count: About how many tokens, of a sample.
  /// - Throws: ``PipelineError`` where the sample is not of this model.
  func windows(tokens count: Int) throws -> [[Int32]] {
    guard let sample else {
      let c = model.configuration
      return try LossText.builtIn.windows(
        Tokenizer(model.tokenizer), contextLength: c.contextLength, vocabularySize: c.vocabularySize, model: model.path)
    }
    let sequences = try TokenSequences(contentsOf: URL(filePath: sample))
    try sequences.check(model, path: sample)
    // Evenly spaced, so that every source has its part.
    let chosen = min(max(count / sequences.sequenceLength, 1), sequences.count)
    return (0..<chosen).map { sequences[$0 * sequences.count / chosen] }
  }

  /// The first tokens of some windows, for what takes hundreds of passes.
  func beginnings(_ count: Int, length: Int) throws -> [[Int32]] {
    let windows = try windows(tokens: .max)
    let chosen = min(count, windows.count)
    return (0..<chosen).map { Array(windows[$0 * windows.count / chosen].prefix(length)) }
  }
}
