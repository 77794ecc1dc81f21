/// Why a tokenizer couldn't be read or built.
public enum TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file that a problem was found in.
  public enum File: String, Sendable {
    case tokenizer = "tokenizer.json"
    case configuration = "tokenizer_config.json"
  }

  /// A file isn't JSON, or a field of it is missing or has the wrong type.
  case invalidJSON(file: File, field: String, reason: String)
  /// A feature which would change token ids and which this tokenizer doesn't have.
  case unsupported(feature: String, value: String, supported: String)
  case emptyVocabulary
  case kindCount(tokens: Int, kinds: Int)
  case scoreCount(tokens: Int, scores: Int)
  case duplicateToken(text: String, first: Int, second: Int)
  case conflictingID(id: Int, first: String, second: String)
  case idOutOfRange(name: String, id: Int, limit: Int)
  case unknownToken(name: String, token: String)
  case malformedMerge(index: Int, text: String)
  case mergeOfUnknownToken(index: Int, token: String)

  public var description: String {
    switch self {
    case .invalidJSON(let file, let field, let reason):
      let place = field.isEmpty ? "" : " at `\(field)`"
      return "\(file.rawValue) can't be read\(place): \(reason). Download the file again."
    case .unsupported(let feature, let value, let supported):
      return "The tokenizer's \(feature) is \(value), which Gambit doesn't support; it supports \(supported)."
    case .emptyVocabulary:
      return "The tokenizer has no tokens; use a checkpoint that contains its vocabulary."
    case .kindCount(let tokens, let kinds):
      return "The tokenizer has \(tokens) tokens but \(kinds) token kinds; the checkpoint is damaged."
    case .scoreCount(let tokens, let scores):
      return "The tokenizer has \(tokens) tokens but \(scores) scores; the checkpoint is damaged."
    case .duplicateToken(let text, let first, let second):
      return "The tokenizer's tokens \(first) and \(second) are both \(Self.quoted(text)); the checkpoint is damaged."
    case .conflictingID(let id, let first, let second):
      return "The tokenizer's id \(id) is given to both \(Self.quoted(first)) and \(Self.quoted(second)); "
        + "correct `added_tokens` in tokenizer.json."
    case .idOutOfRange(let name, let id, let limit):
      return "The tokenizer's \(name) has id \(id), but ids must be from 0 to below \(limit)."
    case .unknownToken(let name, let token):
      return "The tokenizer's \(name) \(Self.quoted(token)) isn't in its vocabulary; correct tokenizer_config.json."
    case .malformedMerge(let index, let text):
      return "The tokenizer's merge \(index) is \(Self.quoted(text)), not two tokens with a space between them."
    case .mergeOfUnknownToken(let index, let token):
      return "The tokenizer's merge \(index) needs the token \(Self.quoted(token)), which isn't in the vocabulary."
    }
  }

  /// Text out of a file may be long and may hold control characters.
  private static func quoted(_ text: String) -> String {
    text.unicodeScalars.count > 64
      ? "\(String(text.unicodeScalars.prefix(64)).debugDescription)…" : text.debugDescription
  }
}
