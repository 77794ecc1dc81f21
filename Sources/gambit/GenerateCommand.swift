import ArgumentParser
import Foundation
import Pipeline
import Reports
import SparseBundle

struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Continues a prompt from a bundle, by the reference decoder.",
    discussion: "The prompt is read densely; what follows is sparse unless --dense is given.")

  @Option(help: ArgumentHelp("A bundle's folder.", valueName: "folder"))
  var bundle: String

  @Option(help: "The text to continue.")
  var prompt: String

  @Option(help: ArgumentHelp("Tokens to generate at most.", valueName: "n"))
  var maxTokens = 64

  @Option(help: ArgumentHelp("0 takes the most likely token each time.", valueName: "t"))
  var temperature = 0.0

  @Option(help: ArgumentHelp("Seed of the random choice where the temperature is not 0.", valueName: "n"))
  var seed: UInt64 = 0

  @Flag(help: "Keep every channel.")
  var dense = false

  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard maxTokens >= 0 else { throw ValidationError("--max-tokens must not be negative.") }
    guard temperature >= 0, temperature.isFinite else { throw ValidationError("--temperature must be 0 or more.") }
  }

  func run() throws {
    let stage = GenerateStage(maximumTokens: maxTokens, temperature: temperature, seed: seed, dense: dense)
    let output = try stage.run(ModelBundle(path: bundle), prompt: prompt) { piece in
      if !options.json { FileHandle.standardOutput.write(Data(piece.utf8)) }
    }
    if !options.json { FileHandle.standardOutput.write(Data("\n".utf8)) }
    options.console.note("\(Format.fixed(output.tokensPerSecond, 1)) tokens/s")
    if options.json {
      try options.print(
        Result(
          text: output.text, ids: output.ids, tokensPerSecond: output.tokensPerSecond,
          activatedShare: output.activatedShare),
        text: "")
    }
  }

  private struct Result: Encodable {
    var text: String
    var ids: [Int32]
    var tokensPerSecond: Double
    var activatedShare: Double
  }
}
