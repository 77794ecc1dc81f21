/// Byte-pair encoding, of bytes or as SentencePiece does it: text to token ids and back, with the ids that Hugging Face
/// `tokenizers` gives.
///
///     let tokenizer = try Tokenizer(model)
///     let ids = tokenizer.encode("Hello there")
///     tokenizer.decode(ids)  // "Hello there"
///
/// Text is cut at the tokens that are matched whole (special tokens and the like), then into words by
/// the model's pre-tokenizer; within each word, neighbouring tokens merge by rank, starting from
/// single bytes (Sennrich et al. 2016, arXiv:1508.07909; Radford et al. 2019 for bytes). SentencePiece's
/// starts from characters, and from bytes where the vocabulary lacks one (Kudo and Richardson 2018, arXiv:1808.06226).
///
/// A value that never changes after it was made: threads may share it. It is not for unigram
/// vocabularies, doesn't render chat templates, and neither pads nor truncates.
public struct Tokenizer: Sendable {
  /// What the tokenizer was made from.
  public let model: TokenizerModel

  let vocabulary: Vocabulary
  let merges: MergeTable
  /// The bytes that each token stands for, by id.
  let tokenBytes: PackedBytes
  let addedTokens: AddedTokenMatcher

  /// - Throws: `TokenizerError` where the model contradicts itself: no or duplicate tokens, merges of
  ///   tokens that don't exist, special ids out of range.
  ///
  /// Complexity: O(size of the model).
  public init(_ model: TokenizerModel) throws(TokenizerError) {
    guard !model.tokens.isEmpty else { throw .emptyVocabulary }
    guard model.tokens.count == model.kinds.count else {
      throw .kindCount(tokens: model.tokens.count, kinds: model.kinds.count)
    }
    guard model.tokens.count <= Int32.max else {
      throw .idOutOfRange(name: "last token", id: model.tokens.count - 1, limit: Int(Int32.max))
    }
    for (name, id) in [("begin-of-text token", model.beginOfText), ("end-of-text token", model.endOfText)] {
      guard let id else { continue }
      guard model.tokens.indices.contains(Int(id)) else {
        throw .idOutOfRange(name: name, id: Int(id), limit: model.tokens.count)
      }
    }
    self.model = model

    vocabulary = try Vocabulary(tokens: model.tokens)
    merges = try MergeTable(merges: model.merges, vocabulary: vocabulary, spelling: model.preTokenizer)
    var tokenBytes = PackedBytes()
    var addedTokens = AddedTokenMatcher()
    for (id, (text, kind)) in zip(model.tokens, model.kinds).enumerated() {
      tokenBytes.append(Self.bytes(text, kind, model.preTokenizer))
      if kind == .control || kind == .userDefined { addedTokens.insert(text.utf8, token: Int32(id)) }
    }
    self.tokenBytes = tokenBytes
    self.addedTokens = addedTokens
  }

  /// The bytes that a token stands for in a text.
  private static func bytes(
    _ text: String, _ kind: TokenizerModel.TokenKind, _ spelling: TokenizerModel.PreTokenizer
  ) -> [UInt8] {
    switch (kind, spelling) {
    case (.control, _): Array(text.utf8)
    case (.byte, _): SentencePieceSpelling.byte(of: text).map { [$0] } ?? Array(text.utf8)
    case (_, .sentencePiece): SentencePieceSpelling.unescape(text)
    case (.normal, _), (.unused, _): ByteAlphabet.bytes(spelledBy: text) ?? Array(text.utf8)
    case (.userDefined, _): Array(text.utf8)
    }
  }
}

// MARK: - The vocabulary

extension Tokenizer {
  /// How many ids there are, those of unused tokens included. A model's embedding may have more rows.
  public var vocabularySize: Int { model.tokens.count }

  /// The token that ends a text, where the model has one.
  public var endOfText: Int32? { model.endOfText }

  /// The token that begins a text, where the model has one.
  public var beginOfText: Int32? { model.beginOfText }

  /// Jinja template of the chat format, as the model ships it.
  public var chatTemplate: String? { model.chatTemplate }

  /// The id of a token by its text as the vocabulary spells it: `Ġthe` for " the".
  ///
  /// Complexity: O(length of `token`).
  public func id(of token: String) -> Int32? {
    vocabulary.id(of: Array(token.utf8))
  }

  /// The text of a token as the vocabulary spells it, or nil where there is no such id.
  public func text(of id: Int32) -> String? {
    model.tokens.indices.contains(Int(id)) ? model.tokens[Int(id)] : nil
  }
}
