import ArgumentParser
import Checkpoints
import Evaluation
import Files
import Pipeline

struct LogitsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logits", abstract: "Writes a model's logits for given token ids, to be compared with others'.")

  @OptionGroup var model: ModelOptions

  @Option(help: ArgumentHelp("A safetensors file with 'ids', int32 [sequences, tokens].", valueName: "path"))
  var ids: String

  @Option(
    help: ArgumentHelp("The file to write: 'logits', float32 [sequences, tokens, vocabulary].", valueName: "path"))
  var output: String

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func run() throws {
    let file = try SafetensorsFile(path: ids)
    let tokens = try file.integers(of: "ids")
    guard let shape = file.header.tensor(named: "ids")?.shape, shape.count == 2, shape[1] > 0 else {
      throw ValidationError("'ids' in \(ids) must have two dimensions.")
    }
    let sequences = (0..<shape[0]).map { Array(tokens[$0 * shape[1]..<($0 + 1) * shape[1]]) }
    let checkpoint = try Checkpoint.open(model.model)
    let logits = try LogitsMeasurement(checkpoint.weights, threads: threads.threads).run(sequences)
    let tensor = SafetensorsTensor(
      name: "logits", shape: shape + [checkpoint.configuration.vocabularySize], values: logits)
    try writeAtomically(SafetensorsWriter.encode([tensor]), to: output)
    try options.print(Written(output: output), text: output)
  }
}
