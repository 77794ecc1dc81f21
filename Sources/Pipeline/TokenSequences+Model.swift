import Checkpoints
import Corpus

extension TokenSequences {
  /// - Parameter path: What messages call the sample.
  /// - Throws: ``PipelineError`` where the model has not these tokens, or was not made for sequences of this length.
  func check(_ model: Checkpoint, path: String) throws(PipelineError) {
    let c = model.configuration
    guard tokens.allSatisfy({ $0 >= 0 && $0 < c.vocabularySize }) else {
      throw .foreignTokens(sample: path, model: model.path)
    }
    guard sequenceLength <= c.contextLength else {
      throw .sequenceTooLong(length: sequenceLength, limit: c.contextLength)
    }
  }
}
