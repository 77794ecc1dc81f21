import ArgumentParser
import Checkpoints
import Files
import Tokenizers

struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize", abstract: "Turns text into token ids, and back.",
    discussion: "No special token is added unless --special is given; those that stand in the text are recognised.")

  @OptionGroup var model: ModelOptions

  @Option(help: "The text.")
  var text: String?

  @Option(help: ArgumentHelp("A file whose contents are the text.", valueName: "path"))
  var file: String?

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Token ids to turn back into text.", valueName: "ids"))
  var decode: [Int32] = []

  @Flag(help: "Add the special tokens that the model expects around a text.")
  var special = false

  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard [text != nil, file != nil, !decode.isEmpty].count(where: { $0 }) == 1 else {
      throw ValidationError("Give one of --text, --file and --decode.")
    }
  }

  func run() throws {
    let tokenizer = try Tokenizer(Checkpoint.open(model.model).tokenizer)
    guard decode.isEmpty else {
      let text = tokenizer.decode(decode)
      return try options.print(["text": text], text: text)
    }
    let ids = tokenizer.encode(try contents, addingSpecialTokens: special)
    try options.print(["ids": ids], text: ids.map(String.init).joined(separator: " "))
  }

  private var contents: String {
    get throws {
      guard let file else { return text ?? "" }
      let reader = try FileReader(path: file)
      return String(decoding: try reader.read(at: 0, count: reader.count), as: UTF8.self)
    }
  }
}
