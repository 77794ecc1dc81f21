extension TokenizerModel.PreTokenizer {
  /// The expression that GPT-2's byte-level pre-tokenizer has built in.
  static let gpt2Expression =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  /// The regular expression, in Oniguruma's dialect, whose matches are the words; for `smollm` of
  /// the text between digits, each digit being a word.
  var splitExpression: String {
    switch self {
    case .gpt2, .smollm: Self.gpt2Expression
    case .llamaBPE: Self.expression(number: #"\p{N}{1,3}"#)
    case .qwen2: Self.expression(number: #"\p{N}"#)
    case .sentencePiece: #"[\s\S]+"#
    }
  }

  /// The vocabulary was made from text in Unicode's composed form (NFC).
  var normalizesByDefault: Bool { self == .qwen2 }

  private static func expression(number: String) -> String {
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + number
      + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }
}
