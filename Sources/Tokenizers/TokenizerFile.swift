/// The parts of Hugging Face's `tokenizer.json` that decide token ids.
struct TokenizerFile: Decodable {
  struct AddedToken: Decodable {
    var id: Int
    var content: String
    var singleWord: Bool?
    var lstrip: Bool?
    var rstrip: Bool?
    var normalized: Bool?
    var special: Bool?

    enum CodingKeys: String, CodingKey {
      case id, content, lstrip, rstrip, normalized, special
      case singleWord = "single_word"
    }
  }

  struct Component: Decodable, Equatable {
    struct Pattern: Decodable, Equatable {
      var text: String?

      enum CodingKeys: String, CodingKey {
        case text = "String"
      }
    }

    var type: String
    var pattern: Pattern?
    var content: String?
    var decoders: [Component]?
  }

  /// Post-processors matter only for the special tokens that they put around a text.
  struct PostProcessor: Decodable {
    /// `{"Sequence": …}` or `{"SpecialToken": {"id": …}}`.
    struct Piece: Decodable {
      struct SpecialToken: Decodable {
        var id: String
      }
      var specialToken: SpecialToken?

      enum CodingKeys: String, CodingKey {
        case specialToken = "SpecialToken"
      }
    }

    var type: String
    var processors: [PostProcessor]?
    var single: [Piece]?
  }

  struct Model: Decodable {
    var type: String?
    var dropout: Double?
    var unknownToken: String?
    var continuingSubwordPrefix: String?
    var endOfWordSuffix: String?
    var byteFallback: Bool?
    var ignoreMerges: Bool?
    var vocab: [String: Int]
    var merges: Merges

    enum CodingKeys: String, CodingKey {
      case type, dropout, vocab, merges
      case unknownToken = "unk_token"
      case continuingSubwordPrefix = "continuing_subword_prefix"
      case endOfWordSuffix = "end_of_word_suffix"
      case byteFallback = "byte_fallback"
      case ignoreMerges = "ignore_merges"
    }
  }

  /// Written as `["a b", …]` until 2024, as `[["a", "b"], …]` since.
  struct Merges: Decodable {
    var lines: [String]

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let lines = try? container.decode([String].self) {
        self.lines = lines
      } else {
        lines = try container.decode([[String]].self).map { $0.joined(separator: " ") }
      }
    }
  }

  var addedTokens: [AddedToken]?
  var normalizer: Component?
  var preTokenizer: PreTokenizerFile?
  var postProcessor: PostProcessor?
  var decoder: Component?
  var model: Model

  enum CodingKeys: String, CodingKey {
    case normalizer, decoder, model
    case addedTokens = "added_tokens"
    case preTokenizer = "pre_tokenizer"
    case postProcessor = "post_processor"
  }
}
