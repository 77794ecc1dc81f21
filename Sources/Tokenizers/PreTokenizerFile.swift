/// `pre_tokenizer` of `tokenizer.json`: a component or a `Sequence` of them.
struct PreTokenizerFile: Decodable {
  struct Pattern: Decodable {
    var regex: String?
    var text: String?

    enum CodingKeys: String, CodingKey {
      case regex = "Regex"
      case text = "String"
    }
  }

  var type: String
  var components: [PreTokenizerFile]?
  var pattern: Pattern?
  var behavior: String?
  var invert: Bool?
  var individualDigits: Bool?
  var addPrefixSpace: Bool?
  var useRegex: Bool?

  enum CodingKeys: String, CodingKey {
    case type, pattern, behavior, invert
    case components = "pretokenizers"
    case individualDigits = "individual_digits"
    case addPrefixSpace = "add_prefix_space"
    case useRegex = "use_regex"
  }

  /// Which of the known pre-tokenizers this is, if any.
  var family: TokenizerModel.PreTokenizer? {
    let steps = components ?? [self]
    guard let last = steps.last, last.isByteLevel else { return nil }
    switch (steps.count, last.useRegex ?? true) {
    case (1, true):
      return .gpt2
    case (2, true) where steps[0].type == "Digits" && steps[0].individualDigits == true:
      return .smollm
    case (2, false):
      return [.gpt2, .llamaBPE, .qwen2].first { steps[0].isSplit(by: $0.splitExpression) }
    default:
      return nil
    }
  }

  /// For error messages: `Sequence[Digits, ByteLevel]`, with the expression of a `Split`.
  var summary: String {
    if let components { return "\(type)[\(components.map(\.summary).joined(separator: ", "))]" }
    if let regex = pattern?.regex { return "\(type)(\(regex))" }
    return type
  }

  private var isByteLevel: Bool { type == "ByteLevel" && addPrefixSpace == false }

  private func isSplit(by expression: String) -> Bool {
    type == "Split" && behavior == "Isolated" && invert != true && pattern?.regex == expression
  }
}
