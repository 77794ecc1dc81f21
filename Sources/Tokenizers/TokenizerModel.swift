/// What a byte-pair tokenizer is made of, whatever file it was read from: `Checkpoints` fills
/// it in from GGUF metadata, `TokenizerModel.init(json:configuration:)` from `tokenizer.json`.
public struct TokenizerModel: Sendable, Equatable {
  /// How text is cut into words before merges are applied, by llama.cpp's names.
  public enum PreTokenizer: String, Sendable, CaseIterable {
    case gpt2
    case smollm
    case llamaBPE = "llama-bpe"
    case qwen2
    /// Not at all: SentencePiece's merges may go across words. Tokens are spelled in characters instead of GPT-2's
    /// alphabet of bytes, spaces as `▁` (U+2581), and characters without a token in bytes: Gemma.
    case sentencePiece = "sentencepiece"
  }

  public enum TokenKind: Sendable, Equatable {
    /// Reached by merges; written in GPT-2's printable byte alphabet, or as SentencePiece does.
    case normal
    /// One byte of a character that has no token, `<0xE2>`: SentencePiece only.
    case byte
    /// Matched whole in the text and written literally; left out of decoded text on request.
    case control
    /// Matched whole in the text and written literally, but ordinary text when decoded.
    case userDefined
    case unused
  }

  public var preTokenizer: PreTokenizer
  /// The text of each token, by id.
  public var tokens: [String]
  /// As many as `tokens`.
  public var kinds: [TokenKind]
  /// Pairs of token texts in order of rank, each written `left right`.
  public var merges: [String]
  public var beginOfText: Int32?
  public var endOfText: Int32?
  /// The model expects `beginOfText` before every text.
  public var addsBeginOfText: Bool
  /// A word that is a token as a whole is taken as it is, before merges (`ignore_merges`, Llama 3).
  public var ignoresMerges: Bool
  /// Text is brought into Unicode's composed form (NFC) first, as Qwen2's tokenizer does.
  public var normalizes: Bool
  /// Jinja template of the chat format, as the model ships it.
  public var chatTemplate: String?

  /// - Parameter normalizes: nil for what the family does: composed form for `qwen2` alone.
  public init(
    preTokenizer: PreTokenizer, tokens: [String], kinds: [TokenKind], merges: [String],
    beginOfText: Int32? = nil, endOfText: Int32? = nil, addsBeginOfText: Bool = false,
    ignoresMerges: Bool = false, normalizes: Bool? = nil, chatTemplate: String? = nil
  ) {
    self.preTokenizer = preTokenizer
    self.tokens = tokens
    self.kinds = kinds
    self.merges = merges
    self.beginOfText = beginOfText
    self.endOfText = endOfText
    self.addsBeginOfText = addsBeginOfText
    self.ignoresMerges = ignoresMerges
    self.normalizes = normalizes ?? preTokenizer.normalizesByDefault
    self.chatTemplate = chatTemplate
  }
}
