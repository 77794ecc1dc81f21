import ArgumentParser
import Foundation
import Pipeline
import Reports
import SparseBundle
import SparseRuntime

struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Continues a prompt from a bundle.",
    discussion: """
      The prompt is read densely; what follows is sparse unless --dense is given. Weights are unpacked once into a \
      cache (see gambit cache) and mapped after that.
      """)

  @Option(help: ArgumentHelp("A bundle's folder.", valueName: "folder"))
  var bundle: String

  @OptionGroup var budget: BudgetOptions

  @Option(help: "The text to continue.")
  var prompt: String

  @Flag(help: "The prompt is a message to the model's assistant, by the model's chat template.")
  var chat = false

  @Option(help: "What the assistant is told before a --chat.")
  var system: String?

  @Option(help: ArgumentHelp("Tokens to generate at most.", valueName: "n"))
  var maxTokens = 64

  @OptionGroup(title: "How tokens are chosen") var sampling: SamplingArguments

  @Option(
    help: ArgumentHelp("A token that ends the text, beside the model's own; may be given again.", valueName: "token"))
  var stop: [String] = []

  @Flag(help: "Keep every channel.")
  var dense = false

  @Flag(help: "Cut while the prompt is read, too.")
  var sparsePrompt = false

  @Flag(help: "Decode with the plain reference decoder instead of the fast engine.")
  var oracle = false

  @Option(help: "What int8 and q4 weights are multiplied with: exact or int8; what the bundle says unless given.")
  var activations: BundleManifest.Weights.Activations?

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard chat || system == nil else { throw ValidationError("--system needs --chat.") }
    guard maxTokens >= 0 else { throw ValidationError("--max-tokens must not be negative.") }
  }

  func run() throws {
    let stage = GenerateStage(
      maximumTokens: maxTokens, sampling: sampling.options, dense: dense, sparsePrompt: sparsePrompt, oracle: oracle,
      threads: threads.threads, activations: activations, chat: chat ? .init(system: system) : nil, stopTokens: stop)
    let opened = try ModelBundle(path: bundle, sparsity: budget.sparsity)
    let output = try stage.run(opened, prompt: prompt, options.console) { piece in
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

extension BundleManifest.Weights.Activations: ExpressibleByArgument {}

/// How the next token is chosen.
struct SamplingArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Divides logits; 0 takes the most likely token each time.", valueName: "t"))
  var temperature = 0.0

  @Option(help: ArgumentHelp("Only the n most likely tokens; 0 for all.", valueName: "n"))
  var topK = 0

  @Option(help: ArgumentHelp("Only the most likely tokens that together reach this probability.", valueName: "p"))
  var topP = 1.0

  @Option(help: ArgumentHelp("Only tokens at least this share as likely as the most likely one.", valueName: "p"))
  var minP = 0.0

  @Option(help: ArgumentHelp("Divides the logits of tokens that occurred; 1 for none.", valueName: "x"))
  var repetitionPenalty = 1.0

  @Option(help: ArgumentHelp("Seed of the random choice where the temperature is not 0.", valueName: "n"))
  var seed: UInt64 = 0

  func validate() throws {
    guard temperature >= 0, temperature.isFinite else { throw ValidationError("--temperature must be 0 or more.") }
    guard topK >= 0 else { throw ValidationError("--top-k must not be negative.") }
    guard topP > 0, topP <= 1 else { throw ValidationError("--top-p must be above 0 and at most 1.") }
    guard (0...1).contains(minP) else { throw ValidationError("--min-p must be from 0 to 1.") }
    guard repetitionPenalty > 0, repetitionPenalty.isFinite else {
      throw ValidationError("--repetition-penalty must be above 0.")
    }
  }

  var options: SamplingOptions {
    SamplingOptions(
      temperature: temperature, topK: topK, topP: topP, minP: minP, repetitionPenalty: repetitionPenalty, seed: seed)
  }
}
