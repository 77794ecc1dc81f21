import Foundation

extension TokenizerModel {
  /// Reads Hugging Face's `tokenizer.json`, byte-level BPE or BPE with byte fallback as Gemma has it, and `tokenizer_config.json`.
  ///
  /// Some models ship their chat template in a file of its own: set `chatTemplate` then.
  ///
  /// - Parameters:
  ///   - json: contents of `tokenizer.json`.
  ///   - configuration: contents of `tokenizer_config.json`, which names the special tokens.
  /// - Throws: `TokenizerError`, naming any feature which would change ids and isn't supported.
  public init(json: Data, configuration: Data? = nil) throws(TokenizerError) {
    let file: TokenizerFile = try Self.decode(json, .tokenizer)
    let settings: TokenizerConfigurationFile? =
      if let configuration { try Self.decode(configuration, .configuration) } else { nil }
    let family = try file.family()
    try file.checkSupported(family)

    // Ids may have gaps, but not so wide that the file doesn't justify the memory.
    var table = TokenTable(limit: json.count)
    if family == .sentencePiece {
      for (text, id) in try VocabularyScanner.entries(in: json) {
        try table.insert(text, id: id, kind: SentencePieceSpelling.byte(of: text) == nil ? .normal : .byte)
      }
    } else {
      for (text, id) in file.model.vocab { try table.insert(text, id: id, kind: .normal) }
    }
    for token in file.addedTokens ?? [] {
      try table.insert(token.content, id: token.id, kind: token.special == true ? .control : .userDefined)
    }
    func id(of text: String?, _ name: String) throws(TokenizerError) -> Int32? {
      guard let text else { return nil }
      guard let id = table.tokens.firstIndex(where: { $0.utf8.elementsEqual(text.utf8) }) else {
        throw .unknownToken(name: name, token: text)
      }
      return Int32(id)
    }

    let prefix = try file.postProcessor?.specialPrefix()
    self.init(
      preTokenizer: family, tokens: table.tokens, kinds: table.kinds, merges: file.model.merges.lines,
      beginOfText: try id(of: settings?.beginOfText?.content ?? prefix, "begin-of-text token"),
      endOfText: try id(of: settings?.endOfText?.content, "end-of-text token"),
      addsBeginOfText: settings?.addsBeginOfText ?? (prefix != nil),
      ignoresMerges: file.model.ignoreMerges ?? false,
      normalizes: family != .sentencePiece && file.normalizer != nil,
      chatTemplate: settings?.chatTemplate?.template)
  }

  private static func decode<Value: Decodable>(
    _ data: Data, _ file: TokenizerError.File
  ) throws(TokenizerError) -> Value {
    do {
      return try JSONDecoder().decode(Value.self, from: data)
    } catch let error as DecodingError {
      throw TokenizerError(error, in: file)
    } catch {
      throw .invalidJSON(file: file, field: "", reason: "\(error)")
    }
  }
}

/// Tokens by id while they are gathered from the places where `tokenizer.json` lists them.
private struct TokenTable {
  let limit: Int
  private(set) var tokens: [String] = []
  private(set) var kinds: [TokenizerModel.TokenKind] = []

  init(limit: Int) {
    self.limit = min(limit, Int(Int32.max))
  }

  /// - Throws: `idOutOfRange`, `conflictingID`.
  mutating func insert(_ text: String, id: Int, kind: TokenizerModel.TokenKind) throws(TokenizerError) {
    guard (0..<limit).contains(id) else {
      throw .idOutOfRange(name: "token \(text.prefix(64).debugDescription)", id: id, limit: limit)
    }
    let missing = id + 1 - tokens.count
    if missing > 0 {
      tokens += repeatElement("", count: missing)
      kinds += repeatElement(.unused, count: missing)
    }
    guard tokens[id].isEmpty || tokens[id].utf8.elementsEqual(text.utf8) else {
      throw .conflictingID(id: id, first: tokens[id], second: text)
    }
    tokens[id] = text
    kinds[id] = kind
  }
}

extension TokenizerFile {
  func family() throws(TokenizerError) -> TokenizerModel.PreTokenizer {
    if model.byteFallback == true, decoder?.decoders != nil { return .sentencePiece }
    guard let family = preTokenizer?.family else {
      throw .unsupported(
        feature: "pre_tokenizer", value: preTokenizer?.summary ?? "missing",
        supported: "those of "
          + TokenizerModel.PreTokenizer.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return family
  }

  /// - Throws: `unsupported` for whatever else would change ids.
  func checkSupported(_ family: TokenizerModel.PreTokenizer) throws(TokenizerError) {
    func require(_ condition: Bool, _ feature: String, _ value: String, _ supported: String) throws(TokenizerError) {
      guard condition else { throw .unsupported(feature: feature, value: value, supported: supported) }
    }
    try require((model.type ?? "BPE") == "BPE", "model", model.type ?? "", "BPE")
    let isSentencePiece = family == .sentencePiece
    try require(
      isSentencePiece == (model.byteFallback ?? false), "byte_fallback", "\(model.byteFallback ?? false)",
      "true in Gemma's kind of tokenizer, and false in byte-level BPE")
    try require((model.dropout ?? 0) == 0, "dropout", "\(model.dropout ?? 0)", "null, which always gives the same ids")
    for (name, affix) in [
      ("continuing_subword_prefix", model.continuingSubwordPrefix), ("end_of_word_suffix", model.endOfWordSuffix),
    ] {
      try require((affix ?? "").isEmpty, name, (affix ?? "").debugDescription, "an empty one")
    }
    let spellsAllBytes = ByteAlphabet.scalars.enumerated().allSatisfy { byte, scalar in
      model.vocab[isSentencePiece ? SentencePieceSpelling.token(of: UInt8(byte)) : String(scalar)] != nil
    }
    try require(
      model.unknownToken == nil || spellsAllBytes, "unk_token", (model.unknownToken ?? "").debugDescription,
      "null, or a vocabulary with all 256 bytes")
    if isSentencePiece {
      try checkSentencePiece()
    } else {
      try require((normalizer?.type ?? "NFC") == "NFC", "normalizer", normalizer?.type ?? "", "NFC or none")
      try require((decoder?.type ?? "ByteLevel") == "ByteLevel", "decoder", decoder?.type ?? "", "ByteLevel")
    }
    for token in addedTokens ?? [] {
      let strips = token.singleWord == true || token.lstrip == true || token.rstrip == true
      // Only with a normalizer does it matter whether a token is looked for before or after it.
      try require(
        !strips && !(token.normalized == true && normalizer != nil), "added token", token.content.debugDescription,
        "added tokens without single_word, lstrip, rstrip, and normalized")
    }
  }
}

extension TokenizerFile {
  /// - Throws: `unsupported` where text is not spelled with `▁` for spaces alone, without one put before it.
  private func checkSentencePiece() throws(TokenizerError) {
    func replaces(_ component: Component?, _ text: String, by content: String) -> Bool {
      component?.type == "Replace" && component?.pattern?.text == text && component?.content == content
    }
    guard replaces(normalizer, " ", by: "\u{2581}") else {
      throw .unsupported(
        feature: "normalizer", value: normalizer?.type ?? "missing", supported: "Replace of spaces by \u{2581}")
    }
    // Where spaces are replaced already, cutting at them does nothing.
    guard preTokenizer == nil || (preTokenizer?.type == "Split" && preTokenizer?.pattern?.text == " ") else {
      throw .unsupported(
        feature: "pre_tokenizer", value: preTokenizer?.summary ?? "", supported: "none or Split at spaces")
    }
    let steps = decoder?.decoders ?? []
    guard replaces(steps.first, "\u{2581}", by: " "), steps.dropFirst().map(\.type) == ["ByteFallback", "Fuse"] else {
      throw .unsupported(
        feature: "decoder", value: "Sequence[\(steps.map(\.type).joined(separator: ", "))]",
        supported: "Sequence[Replace, ByteFallback, Fuse]")
    }
  }
}

extension TokenizerFile.PostProcessor {
  /// The special token that is put before a text, if any.
  ///
  /// - Throws: `unsupported` where others are put around it.
  func specialPrefix() throws(TokenizerError) -> String? {
    var prefix: String?
    for processor in processors ?? [self] {
      switch processor.type {
      case "ByteLevel":
        continue
      case "TemplateProcessing":
        let pieces = processor.single ?? []
        guard pieces.dropFirst().allSatisfy({ $0.specialToken == nil }) else {
          throw .unsupported(
            feature: "post_processor", value: "TemplateProcessing with special tokens after the text",
            supported: "one special token before it")
        }
        prefix = pieces.first?.specialToken?.id ?? prefix
      default:
        throw .unsupported(
          feature: "post_processor", value: processor.type, supported: "ByteLevel and TemplateProcessing")
      }
    }
    return prefix
  }
}

extension TokenizerError {
  init(_ error: DecodingError, in file: File) {
    let context =
      switch error {
      case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
        .dataCorrupted(let context):
        context
      @unknown default:
        DecodingError.Context(codingPath: [], debugDescription: "\(error)")
      }
    var path = context.codingPath
    if case .keyNotFound(let key, _) = error { path.append(key) }
    let field = path.map { key in key.intValue.map { "[\($0)]" } ?? key.stringValue }.joined(separator: ".")
    let reason = context.debugDescription
    self = .invalidJSON(file: file, field: field, reason: reason.hasSuffix(".") ? String(reason.dropLast()) : reason)
  }
}
