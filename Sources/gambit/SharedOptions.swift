import ArgumentParser
import Files
import Foundation
import Pipeline
import Reports
import SparseBundle

/// What every command takes.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print one JSON document on standard output; progress goes to standard error.")
  var json = false

  @Flag(help: "Show no progress.")
  var quiet = false

  var console: Console { Console(quiet: quiet) }

  /// Prints a result: as JSON, or as text.
  func print(_ value: some Encodable, text: @autoclosure () -> String) throws {
    guard json else { return Swift.print(text()) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.dateEncodingStrategy = .iso8601
    Swift.print(String(decoding: try encoder.encode(value), as: UTF8.self))
  }
}

/// What every command that computes takes.
struct ThreadOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Sequences computed side by side.", valueName: "n"))
  var threads = ProcessInfo.processInfo.activeProcessorCount

  func validate() throws {
    guard (1...1024).contains(threads) else { throw ValidationError("--threads must be from 1 to 1024.") }
  }
}

struct ModelOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A GGUF file, or a folder in Hugging Face's layout.", valueName: "path"))
  var model: String
}

/// The text that a bundle's losses are measured on.
struct LossTextOptions: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Files or globs of held-out .txt or .jsonl that the bundle's losses are measured on; a short built-in text if none.",
      valueName: "files"))
  var text: [String] = []

  @Option(help: ArgumentHelp("The field of a JSON line that holds the text.", valueName: "name"))
  var field = "text"

  func validate() throws { try Self.require(field, with: text) }

  static func require(_ field: String, with text: [String]) throws {
    guard field == "text" || !text.isEmpty else { throw ValidationError("--field goes with --text.") }
  }

  var lossText: LossText { text.isEmpty ? .builtIn : .files(text, field: field) }
}

/// How a bundle is made and where.
struct BundleOutputOptions: ParsableArguments {
  @Option(help: "Type of the bundle's matrices.")
  var weights = WeightType.f16

  @OptionGroup var text: LossTextOptions

  @Option(help: ArgumentHelp("The folder to write.", valueName: "folder"))
  var output: String

  @OptionGroup var threads: ThreadOptions

  var stage: ExportStage { ExportStage(type: weights, text: text.lossText, threads: threads.threads) }
}

extension WeightType: ExpressibleByArgument {}

/// Which budget of a bundle.
struct BudgetOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Which of the sparsities that the bundle has thresholds for; its default unless given.", valueName: "share"))
  var sparsity: Double?
}

/// Texts to read.
struct TextOptions: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Files or globs of .txt or .jsonl, also as .zst or .gz.", valueName: "files"))
  var text: [String]

  @Option(help: ArgumentHelp("The field of a JSON line that holds the text.", valueName: "name"))
  var field = "text"
}

/// Prompts to continue.
struct PromptOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A file with a prompt a line.", valueName: "file"))
  var prompts: String?

  @Option(help: ArgumentHelp("Tokens behind each prompt at most.", valueName: "n"))
  var tokens = 64

  func validate() throws {
    guard tokens > 0 else { throw ValidationError("--tokens must be positive.") }
  }

  /// The file's lines but for empty ones; none where no file is given.
  func read() throws -> [String] {
    guard let prompts else { return [] }
    let file = try FileReader(path: prompts)
    return String(decoding: try file.read(at: 0, count: file.count), as: UTF8.self).split(separator: "\n").map(
      String.init)
  }
}

/// What a command that writes one file prints as JSON.
struct Written: Encodable {
  var output: String
}
