import Foundation

extension Tokenizer {
  /// The tokenizer as Hugging Face's `tokenizer.json`: `tokenizers.Tokenizer.from_file` encodes as
  /// this value does, wherever the model was read from. The same model gives the same bytes.
  ///
  /// Complexity: O(size of the model).
  public func json() -> Data {
    var json = JSONWriter()
    json.object { json in
      json.member("version", "1.0")
      for name in ["truncation", "padding"] {
        json.key(name)
        json.null()
      }
      writeAddedTokens(to: &json)
      json.key("normalizer")
      writeNormalizer(to: &json)
      json.key("pre_tokenizer")
      writePreTokenizer(to: &json)
      json.key("post_processor")
      writePostProcessor(to: &json)
      json.key("decoder")
      writeDecoder(to: &json)
      writeModel(to: &json)
    }
    return Data(json.bytes)
  }

  /// The special tokens and the chat template as Hugging Face's `tokenizer_config.json`. The same
  /// model gives the same bytes.
  public func configurationJSON() -> Data {
    var json = JSONWriter()
    json.object { json in
      json.member("tokenizer_class", "PreTrainedTokenizerFast")
      json.member("clean_up_tokenization_spaces", false)
      json.member("add_bos_token", model.addsBeginOfText)
      if let token = beginOfText.flatMap(text(of:)) { json.member("bos_token", token) }
      if let token = endOfText.flatMap(text(of:)) { json.member("eos_token", token) }
      if let chatTemplate { json.member("chat_template", chatTemplate) }
    }
    return Data(json.bytes)
  }

  private func writeAddedTokens(to json: inout JSONWriter) {
    json.key("added_tokens")
    json.array { json in
      for (id, kind) in model.kinds.enumerated() where kind == .control || kind == .userDefined {
        guard !model.tokens[id].isEmpty else { continue }
        json.object { json in
          json.member("id", id)
          json.member("content", model.tokens[id])
          for name in ["single_word", "lstrip", "rstrip", "normalized"] { json.member(name, false) }
          json.member("special", kind == .control)
        }
      }
    }
  }

  private func writePreTokenizer(to json: inout JSONWriter) {
    guard !isSentencePiece else { return json.null() }
    guard model.preTokenizer != .gpt2 else { return Self.writeByteLevel(usesExpression: true, to: &json) }
    json.component("Sequence") { json in
      json.key("pretokenizers")
      json.array { json in
        if model.preTokenizer == .smollm {
          json.component("Digits") { $0.member("individual_digits", true) }
        } else {
          json.component("Split") { json in
            json.key("pattern")
            json.object { $0.member("Regex", model.preTokenizer.splitExpression) }
            json.member("behavior", "Isolated")
            json.member("invert", false)
          }
        }
        Self.writeByteLevel(usesExpression: model.preTokenizer == .smollm, to: &json)
      }
    }
  }

  private func writePostProcessor(to json: inout JSONWriter) {
    guard model.addsBeginOfText, let beginOfText, let token = text(of: beginOfText) else {
      if isSentencePiece { return json.null() }
      return Self.writeByteLevel(usesExpression: true, to: &json)
    }
    func piece(_ kind: String, _ id: String, type: Int, _ json: inout JSONWriter) {
      json.object { json in
        json.key(kind)
        json.object { json in
          json.member("id", id)
          json.member("type_id", type)
        }
      }
    }
    json.component("TemplateProcessing") { json in
      for (name, texts) in [("single", ["A"]), ("pair", ["A", "B"])] {
        json.key(name)
        json.array { json in
          for (type, text) in texts.enumerated() {
            piece("SpecialToken", token, type: type, &json)
            piece("Sequence", text, type: type, &json)
          }
        }
      }
      json.key("special_tokens")
      json.object { json in
        json.key(token)
        json.object { json in
          json.member("id", token)
          json.key("ids")
          json.array { $0.number(Int(beginOfText)) }
          json.key("tokens")
          json.array { $0.string(token) }
        }
      }
    }
  }

  private func writeModel(to json: inout JSONWriter) {
    json.key("model")
    json.component("BPE") { json in
      for name in ["dropout", "unk_token"] {
        json.key(name)
        json.null()
      }
      json.member("continuing_subword_prefix", "")
      json.member("end_of_word_suffix", "")
      json.member("fuse_unk", false)
      json.member("byte_fallback", isSentencePiece)
      json.member("ignore_merges", model.ignoresMerges)
      json.key("vocab")
      json.object { json in
        for (id, token) in model.tokens.enumerated() where !token.isEmpty { json.member(token, id) }
      }
      // As lines and not as pairs, so that older readers take the file too.
      json.key("merges")
      json.array { json in
        for merge in model.merges { json.string(merge) }
      }
    }
  }
}

// Where SentencePiece's spelling differs from byte-level BPE.
extension Tokenizer {
  fileprivate var isSentencePiece: Bool { model.preTokenizer == .sentencePiece }

  fileprivate func writeNormalizer(to json: inout JSONWriter) {
    if isSentencePiece {
      Self.writeReplace(" ", by: "\u{2581}", to: &json)
    } else if model.normalizes {
      json.component("NFC")
    } else {
      json.null()
    }
  }

  fileprivate func writeDecoder(to json: inout JSONWriter) {
    guard isSentencePiece else { return Self.writeByteLevel(usesExpression: true, to: &json) }
    json.component("Sequence") { json in
      json.key("decoders")
      json.array { json in
        Self.writeReplace("\u{2581}", by: " ", to: &json)
        json.component("ByteFallback")
        json.component("Fuse")
      }
    }
  }

  private static func writeReplace(_ text: String, by content: String, to json: inout JSONWriter) {
    json.component("Replace") { json in
      json.key("pattern")
      json.object { $0.member("String", text) }
      json.member("content", content)
    }
  }

  fileprivate static func writeByteLevel(usesExpression: Bool, to json: inout JSONWriter) {
    json.component("ByteLevel") { json in
      json.member("add_prefix_space", false)
      json.member("trim_offsets", true)
      json.member("use_regex", usesExpression)
    }
  }
}
