/// Why a stage or a pipeline could not run. Each text is one sentence: what, where, what to do.
public enum PipelineError: Error, Equatable, Sendable {
  case nothingThere(path: String)
  case noEndOfText(model: String)
  case foreignTokens(sample: String, model: String)
  case sequenceTooLong(length: Int, limit: Int)
  case noSample(folder: String)
  case badShard(index: Int, count: Int, sequences: Int)
  case otherModel(file: String, model: String)
  case otherStatistics(path: String, difference: String)
  case otherActivations(path: String, difference: String)
  case damagedActivations(path: String)
  case otherText(bundle: String, stated: String, given: String)
  case tooLittleText(files: [String], tokens: Int, needed: Int)
  case badPipeline(path: String, reason: String)
  case badComparison(path: String, reason: String)
  case badSetting(String, reason: String)
  case verificationFailed(bundle: String, checks: [String])
}

extension PipelineError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .nothingThere(let path):
      "there is no file or folder '\(path)': check the path"
    case .noEndOfText(let model):
      "the tokenizer of '\(model)' has no end-of-text token, which separates documents: use a model that has one"
    case .foreignTokens(let sample, let model):
      "'\(sample)' has token ids beyond the vocabulary of '\(model)': sample with this model's tokenizer, or, where that was done, mend the model, whose tokenizer does not fit it"
    case .sequenceTooLong(let length, let limit):
      "sequences of \(length) tokens are longer than the \(limit) that the model was made for: use shorter ones"
    case .noSample(let folder):
      "'\(folder)' has no sample of this pipeline, model and text yet: draw it first, with run --until sample"
    case .badShard(let index, let count, let sequences):
      "shard \(index)/\(count) of \(sequences) sequences does not exist: count shards from 1, and make no more than there are sequences"
    case .otherText(let bundle, let stated, let given):
      "the quality of '\(bundle)' was measured on the text \(stated.prefix(12))…, but this is \(given.prefix(12))…: give the files that it was exported with, or none where it is built-in"
    case .otherStatistics(let path, let difference):
      "'\(path)' was not collected by this pipeline, and has another \(difference) than it would have: merge the right shards to it, or move it away to collect anew"
    case .otherActivations(let path, let difference):
      "'\(path)' is of another \(difference) than these layers need: give what the layers before them wrote, of the same model, sample and shard"
    case .damagedActivations(let path):
      "'\(path)' is damaged, its values are not of the digest that it states: write it again"
    case .otherModel(let file, let model):
      "'\(file)' was made with another model than '\(model)': give the model that it was made with"
    case .tooLittleText(let files, let tokens, let needed):
      "\(files.joined(separator: ", ")) has \(tokens) tokens, not enough for one window of \(needed): give more text or shorter windows"
    case .badPipeline(let path, let reason):
      "the pipeline '\(path)' cannot be used: \(reason)"
    case .badComparison(let path, let reason):
      "the comparison '\(path)' cannot be used: \(reason)"
    case .badSetting(let setting, let reason):
      "the setting '\(setting)' cannot be used: \(reason)"
    case .verificationFailed(let bundle, let checks):
      "'\(bundle)' is not what it should be (failed: \(checks.joined(separator: ", "))): do not use it; fetch or export it again"
    }
  }
}
