import ArgumentParser
import Foundation
import Pipeline
import Reports
import SparseBundle
import SparseRuntime

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measures this machine's memory, the kernels, and how fast a bundle decodes.",
    discussion: """
      Kernels read matrices that no cache holds, dense and with rows dropped at random. Decoding is measured dense and \
      sparse in turn on the same tokens; its ideal speed-up is the ratio of the bytes that a token reads, weights and \
      key-value cache, and efficiency is what is measured of that.
      """)

  @Argument(help: "The bundle's folder.")
  var bundle: String

  @OptionGroup var budget: BudgetOptions

  @Option(help: ArgumentHelp("Most threads; one thread is measured as well.", valueName: "n"))
  var threads = ProcessInfo.processInfo.activeProcessorCount

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Element types of the kernels to measure, of planes one of them; the bundle's unless given.",
      valueName: "types"))
  var types: [WeightType] = []

  @Option(help: "What int8 and q4 weights are multiplied with: exact or int8; what the bundle says unless given.")
  var activations: BundleManifest.Weights.Activations?

  @Flag(help: "Leave the kernels out.")
  var decodeOnly = false

  @Option(help: ArgumentHelp("Time to spend on decoding with each number of threads.", valueName: "seconds"))
  var seconds = 8.0

  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard (1...1024).contains(threads) else { throw ValidationError("--threads must be from 1 to 1024.") }
    guard seconds > 0, seconds.isFinite else { throw ValidationError("--seconds must be above 0.") }
  }

  func run() throws {
    let opened = try ModelBundle(path: bundle, sparsity: budget.sparsity)
    let result = try BenchStage(
      threads: threads == 1 ? [1] : [1, threads],
      types: decodeOnly ? [] : types.isEmpty ? [opened.weights.type] : types, seconds: seconds,
      activations: activations
    ).run(opened, options.console)
    try options.print(result, text: BenchStage.table(result))
  }
}
