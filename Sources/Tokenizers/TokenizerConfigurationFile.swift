/// The parts of Hugging Face's `tokenizer_config.json` that Gambit uses.
struct TokenizerConfigurationFile: Decodable {
  /// Written as its text or as an object with the text in `content`.
  struct Token: Decodable {
    var content: String

    enum CodingKeys: CodingKey {
      case content
    }

    init(from decoder: any Decoder) throws {
      if let text = try? decoder.singleValueContainer().decode(String.self) {
        content = text
      } else {
        content = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .content)
      }
    }
  }

  /// Written as one template or as a list of named ones, of which `default` is taken.
  struct ChatTemplate: Decodable {
    struct Named: Decodable {
      var name: String
      var template: String
    }
    var template: String?

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let template = try? container.decode(String.self) {
        self.template = template
      } else {
        template = try container.decode([Named].self).first { $0.name == "default" }?.template
      }
    }
  }

  var beginOfText: Token?
  var endOfText: Token?
  var addsBeginOfText: Bool?
  var chatTemplate: ChatTemplate?

  enum CodingKeys: String, CodingKey {
    case beginOfText = "bos_token"
    case endOfText = "eos_token"
    case addsBeginOfText = "add_bos_token"
    case chatTemplate = "chat_template"
  }
}
