import ArgumentParser
import Checkpoints
import Pipeline
import Reports

struct ThroughputCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "throughput",
    abstract: "Measures the calibration pass on this machine, beside its matrix products' peak rate.")

  @OptionGroup var model: ModelOptions

  @Option(help: ArgumentHelp("Sequences to run.", valueName: "n"))
  var sequences = 32

  @Option(help: ArgumentHelp("Tokens a sequence.", valueName: "n"))
  var sequenceLength = 512

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard (1...1 << 20).contains(sequences), (2...1 << 20).contains(sequenceLength) else {
      throw ValidationError("--sequences must be 1 or more, --sequence-length 2 or more.")
    }
  }

  func run() throws {
    let result = try CalibrationBenchmark(
      sequences: sequences, sequenceLength: sequenceLength, threads: threads.threads
    )
    .run(Checkpoint.open(model.model))
    try options.print(
      result,
      text: """
        \(Format.fixed(result.tokensPerSecond, 0)) tokens/s of collect, \(Format.fixed(result.forwardTokensPerSecond, 0)) of the forward pass alone
        matrix products: \(Format.percent(result.shareInProducts)) of the time, at \(Format.fixed(result.productGflops, 0)) GFLOPS
        peak of the machine: \(Format.fixed(result.gemmPeakGflops, 0)) GFLOPS, of which the whole pass makes \(Format.percent(result.shareOfPeak))
        """)
  }
}
