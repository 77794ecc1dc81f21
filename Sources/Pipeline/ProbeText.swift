import Checkpoints
import Corpus
import Foundation
import ThresholdSolver
import Tokenizers

/// Token windows, and what they are of.
struct ProbeWindows {
  var windows: [[Int32]]
  /// The digest of the sample's token sequences, or `built-in`.
  var text: String

  /// What there is to say of it in thresholds.
  var probed: ProbedText { ProbedText(text: text, tokens: windows.reduce(0) { $0 + $1.count }) }
}

/// The little text that solving measures on where statistics do not tell.
struct ProbeText {
  let model: Checkpoint
  /// Token sequences to take some of; a text that is part of the program where it is `nil`.
  let sample: String?

  /// - Parameter count: About how many tokens, of a sample.
  /// - Throws: ``PipelineError`` where the sample is not of this model.
  func windows(tokens count: Int) throws -> ProbeWindows {
    guard let sample else {
      let c = model.configuration
      let windows = try LossText.builtIn.windows(
        Tokenizer(model.tokenizer), contextLength: c.contextLength, vocabularySize: c.vocabularySize, model: model.path)
      return ProbeWindows(windows: windows, text: ProbedText.builtIn)
    }
    let sequences = try TokenSequences(contentsOf: URL(filePath: sample))
    try sequences.check(model, path: sample)
    return ProbeWindows(windows: sequences.evenlySpaced(tokens: count), text: sequences.contentHash)
  }

  /// The first tokens of some windows, for what takes hundreds of passes.
  func beginnings(_ count: Int, length: Int) throws -> ProbeWindows {
    var found = try windows(tokens: .max)
    let all = found.windows
    let chosen = min(count, all.count)
    found.windows = (0..<chosen).map { Array(all[$0 * all.count / chosen].prefix(length)) }
    return found
  }
}
