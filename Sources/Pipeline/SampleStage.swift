import Checkpoints
import Corpus
import Foundation
import Reports
import Tokenizers

/// text → token sequences
public struct SampleStage: Sendable {
  public var sources: [TextSource]
  public var tokens: Int
  public var sequenceLength: Int
  public var seed: UInt64

  public init(sources: [TextSource], tokens: Int, sequenceLength: Int, seed: UInt64) {
    self.sources = sources
    self.tokens = tokens
    self.sequenceLength = sequenceLength
    self.seed = seed
  }

  /// Draws the sample and writes it to `output`.
  @discardableResult
  public func run(_ model: Checkpoint, output: String, _ console: Console) throws -> TokenSequences {
    let tokenizer = try Tokenizer(model.tokenizer)
    guard let endOfText = tokenizer.endOfText else { throw PipelineError.noEndOfText(model: model.path) }
    let sampler = try Sampler(sources: sources, tokens: tokens, sequenceLength: sequenceLength, seed: seed)
    let hash = try model.hash
    let drawn = try console.task("sample", total: 0, unit: "bytes") { task in
      try sampler.sample(
        endOfText: endOfText, tokenizer: hash,
        progress: { task.advance(to: Double($0.bytesRead), of: Double($0.bytes)) },
        encode: { tokenizer.encode($0) })
    }
    let sample = try TokenSequences(
      tokens: tokenizer.begun((0..<drawn.count).map { drawn[$0] }).flatMap { $0 },
      sequenceLength: drawn.sequenceLength, provenance: drawn.provenance)
    try sample.write(to: URL(filePath: output))
    console.note("sample: \(sample.count) sequences of \(sample.sequenceLength) tokens")
    return sample
  }
}
