extension Tokenizer {
  /// The token ids of a text, equal to those of Hugging Face `tokenizers`.
  ///
  /// A byte for which the vocabulary has no token is left out, as there; all else is kept exactly. A
  /// `String` is always valid Unicode: read files as `String(decoding: data, as: UTF8.self)`, which
  /// replaces what isn't UTF-8 as Python's `errors="replace"` does.
  ///
  /// - Parameters:
  ///   - addingSpecialTokens: puts the begin-of-text token first where the model expects it.
  ///   - parsingSpecialTokens: takes special tokens that are written out in the text for what they
  ///     are; otherwise they are text. Tokens of the kind `userDefined` are matched in any case.
  ///
  /// Complexity: O(n log n) at worst, one word of n bytes; O(n) in ordinary text.
  public func encode(
    _ text: String, addingSpecialTokens: Bool = false, parsingSpecialTokens: Bool = true
  ) -> [Int32] {
    var ids: [Int32] = []
    if addingSpecialTokens, model.addsBeginOfText, let beginOfText { ids.append(beginOfText) }
    var encoder = WordEncoder(merges: merges, wholeWords: model.ignoresMerges ? vocabulary : nil)
    var classifier = TextClassifier(model.preTokenizer)

    func encodePlain(_ bytes: UnsafeBufferPointer<UInt8>) {
      classifier.classify(bytes)
      classifier.classes.withUnsafeBufferPointer { classes in
        let scanner = WordScanner(preTokenizer: model.preTokenizer, bytes: bytes, classes: classes)
        scanner.forEachWord { encoder.encode(.init(rebasing: bytes[$0]), into: &ids) }
      }
    }

    var text = text
    text.withUTF8 { bytes in
      forEachSegment(of: bytes, parsingSpecialTokens: parsingSpecialTokens) { range, token in
        if let token {
          ids.append(token)
        } else if model.normalizes {
          var composed = String(decoding: bytes[range], as: UTF8.self).inComposedForm()
          composed.withUTF8(encodePlain)
        } else if model.preTokenizer == .sentencePiece {
          SentencePieceSpelling.escape(.init(rebasing: bytes[range])).withUnsafeBufferPointer {
            encoder.encode($0, into: &ids)
          }
        } else {
          encodePlain(.init(rebasing: bytes[range]))
        }
      }
    }
    return ids
  }

  /// Cuts a text at the tokens that are matched whole; `token` is nil for what stands between them.
  private func forEachSegment(
    of text: UnsafeBufferPointer<UInt8>, parsingSpecialTokens: Bool, _ body: (Range<Int>, _ token: Int32?) -> Void
  ) {
    var segmentStart = 0
    var searchStart = 0
    while let (token, range) = addedTokens.firstMatch(in: text, from: searchStart) {
      searchStart = range.upperBound
      // A special token that isn't wanted stays part of the text, and nothing is looked for within it.
      guard parsingSpecialTokens || model.kinds[Int(token)] != .control else { continue }
      if segmentStart < range.lowerBound { body(segmentStart..<range.lowerBound, nil) }
      body(range, token)
      segmentStart = range.upperBound
    }
    if segmentStart < text.count { body(segmentStart..<text.count, nil) }
  }
}
