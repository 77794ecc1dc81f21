import Tokenizers

extension GGUFFile {
  /// The tokenizer that the file carries, by llama.cpp's keys.
  ///
  /// - Throws: ``CheckpointError`` where there is none, or one that is neither byte-level BPE with a known
  ///   pre-tokenizer nor SentencePiece's BPE.
  func tokenizerModel() throws(CheckpointError) -> TokenizerModel {
    let modelKey = "tokenizer.ggml.model"
    let model = try required(modelKey, string(modelKey))
    if model == "llama" { return try sentencePieceModel() }
    guard model == "gpt2" else {
      throw .unsupported(
        path: path, feature: "a tokenizer '\(model)'", known: ["gpt2 (byte-level BPE)", "llama (SentencePiece)"])
    }
    let preTokenizer = try preTokenizer()
    let tokensKey = "tokenizer.ggml.tokens"
    let mergesKey = "tokenizer.ggml.merges"
    let tokens = try required(tokensKey, strings(tokensKey))
    return TokenizerModel(
      preTokenizer: preTokenizer,
      tokens: tokens,
      kinds: try tokenKinds(count: tokens.count),
      merges: try required(mergesKey, strings(mergesKey)),
      beginOfText: try tokenIndex("tokenizer.ggml.bos_token_id", count: tokens.count),
      endOfText: try tokenIndex("tokenizer.ggml.eos_token_id", count: tokens.count),
      // These defaults llama.cpp keeps with the pre-tokenizer, not in the file.
      addsBeginOfText: try bool("tokenizer.ggml.add_bos_token") ?? (preTokenizer == .llamaBPE),
      ignoresMerges: preTokenizer == .llamaBPE,
      chatTemplate: try string("tokenizer.chat_template"))
  }

  /// SentencePiece's BPE: merges follow from scores.
  private func sentencePieceModel() throws(CheckpointError) -> TokenizerModel {
    // These two llama.cpp takes for true where the file says nothing.
    guard try bool("tokenizer.ggml.add_space_prefix") == false else {
      throw .unsupported(
        path: path, feature: "a SentencePiece tokenizer that puts a space before texts", known: ["none"])
    }
    let addsBeginOfText = try bool("tokenizer.ggml.add_bos_token") ?? true
    let (tokensKey, scoresKey) = ("tokenizer.ggml.tokens", "tokenizer.ggml.scores")
    let tokens = try required(tokensKey, strings(tokensKey))
    let kinds = try tokenKinds(count: tokens.count)
    let scores = try required(scoresKey, floats(scoresKey))
    let merges: [String]
    do {
      merges = try TokenizerModel.sentencePieceMerges(tokens: tokens, kinds: kinds, scores: scores)
    } catch {
      throw .tokenizer(path: path, error)
    }
    return TokenizerModel(
      preTokenizer: .sentencePiece, tokens: tokens, kinds: kinds, merges: merges,
      beginOfText: try tokenIndex("tokenizer.ggml.bos_token_id", count: tokens.count),
      endOfText: try tokenIndex("tokenizer.ggml.eos_token_id", count: tokens.count),
      addsBeginOfText: addsBeginOfText, chatTemplate: try string("tokenizer.chat_template"))
  }

  private func preTokenizer() throws(CheckpointError) -> TokenizerModel.PreTokenizer {
    let key = "tokenizer.ggml.pre"
    let name = try required(key, string(key))
    // The names of llama.cpp's converter that stand for one and the same pattern.
    switch name {
    case "gpt-2": return .gpt2
    case "deepseek-r1-qwen": return .qwen2
    case "llama3", "llama-v3": return .llamaBPE
    default:
      if let known = TokenizerModel.PreTokenizer(rawValue: name) { return known }
      throw .unsupported(
        path: path, feature: "the pre-tokenizer '\(name)'",
        known: TokenizerModel.PreTokenizer.allCases.map(\.rawValue))
    }
  }

  private func tokenKinds(count: Int) throws(CheckpointError) -> [TokenizerModel.TokenKind] {
    let key = "tokenizer.ggml.token_type"
    guard let types = try integers(key) else { return Array(repeating: .normal, count: count) }
    guard types.count == count else {
      throw .malformed(path: path, problem: "'\(key)' has \(types.count) entries for \(count) tokens")
    }
    var kinds: [TokenizerModel.TokenKind] = []
    kinds.reserveCapacity(count)
    for type in types {
      switch type {
      case 1: kinds.append(.normal)
      case 2, 3: kinds.append(.control)
      case 4: kinds.append(.userDefined)
      case 5: kinds.append(.unused)
      case 6: kinds.append(.byte)
      default:
        throw .malformed(path: path, problem: "'\(key)' has an entry \(type), which is no kind of token")
      }
    }
    return kinds
  }

  private func tokenIndex(_ key: String, count: Int) throws(CheckpointError) -> Int32? {
    guard let index = try integer(key) else { return nil }
    guard (0..<count).contains(index), let token = Int32(exactly: index) else {
      throw .malformed(path: path, problem: "'\(key)' is \(index), but there are \(count) tokens")
    }
    return token
  }
}
