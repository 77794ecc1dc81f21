import ActivationStatistics
import ArgumentParser
import Checkpoints
import Files
import Foundation
import Pipeline
import Reports
import ThresholdSolver

struct SolveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "solve", abstract: "Solves thresholds from statistics alone.",
    discussion: """
      Several sparsities are solved in one walk through the statistics, into a folder: one file each, called \
      thresholds-METHOD-SPARSITY.safetensors. 'gambit export' puts them into one bundle. Where inputs are cut, as \
      energy does unless told otherwise, that takes --sources-at: weights are stored once, by channels' sources.
      """)

  /// A switch that reads better than a flag and its negation.
  enum Switch: String, ExpressibleByArgument, CaseIterable {
    case on, off
  }

  @Flag(help: "Print the methods and their options, and do nothing.")
  var list = false

  @Option(help: ArgumentHelp("Statistics that 'gambit collect' or 'gambit merge' wrote.", valueName: "path"))
  var statistics: String?

  @Option(help: ArgumentHelp("A GGUF file, or a folder in Hugging Face's layout.", valueName: "path"))
  var model: String?

  @Option(help: "How to solve.")
  var method: SolverRequest.Method?

  @Option(help: "How chess measures the typical size of a channel's up projection: rms unless given.")
  var norm: CHESS.Norm?

  @Option(
    help:
      "Which factor of a channel decides, for chess and energy: gate unless given for chess, per-channel for energy.")
  var source: MaskSource?

  @Option(
    help: ArgumentHelp(
      """
      Cut the FFN twice, at the sparsity less this and, down columns alone, at the sparsity and this: the same bytes. \
      0 cuts once. 0.075 unless given for energy, 0 for the others.
      """, valueName: "share"))
  var secondCut: Double?

  @Option(
    help: ArgumentHelp(
      """
      Leave out this share of the FFN's inputs where the factor that decides is computed; as many bytes less are \
      saved by the other cuts of the FFN. 0 reads them all. 0.4 of the sparsity unless given for energy, 0 for the \
      others.
      """, valueName: "share"))
  var inputCut: Double?

  @Option(
    help: ArgumentHelp(
      """
      Let each channel take the source that is best at this sparsity, whatever is asked for: for energy, whose channels \
      otherwise choose at each sparsity anew.
      """, valueName: "share"))
  var sourcesAt: Double?

  @Option(
    help: "Also skip inputs of the query and output projections; of magnitude and wina, of key and value, too.")
  var attention = Switch.off

  @Option(
    help:
      """
      How the bytes that are not read are divided: uniform drops the same share everywhere; global measures what the \
      FFN and attention lose and drops more where less is lost, without attention it is uniform; greedy, for magnitude \
      and wina, searches for the share of each projection in each layer, for minutes.
      """)
  var allocation = Allocation.uniform

  @Option(
    help:
      """
      For planes: read the low plane of those rows of the output head alone whose logit by the high plane is near the \
      greatest, by a margin that is measured. Otherwise both planes of all rows are read.
      """)
  var head = Switch.off

  @Option(
    help: ArgumentHelp(
      """
      Token sequences that 'gambit sample' drew, on some of which global and greedy allocation and the output head's \
      margin are measured; a text that is part of the program unless given.
      """, valueName: "path"))
  var sample: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "The share to drop at each place of cutting, from 0 to 1; several for a ladder.", valueName: "shares")
  )
  var sparsity: [Double] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "In place of --sparsity, for planes: the share of each place's bytes to read, from 0.34 to 1; several for a ladder.",
      valueName: "shares"))
  var bytesShare: [Double] = []

  @Option(
    help: ArgumentHelp(
      "The file to write, safetensors; with several sparsities the folder of one each.", valueName: "path"))
  var output: String?

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard !list else { return }
    for (name, isGiven) in [
      ("statistics", statistics != nil), ("model", model != nil), ("method", method != nil),
      ("sparsity", !sparsity.isEmpty || !bytesShare.isEmpty), ("output", output != nil),
    ] where !isGiven { throw ValidationError("Missing expected argument '--\(name)'") }
    guard bytesShare.isEmpty || (sparsity.isEmpty && method?.gradesWeights ?? true) else {
      throw ValidationError("--bytes-share is for the method planes, in place of --sparsity: leave one out.")
    }
  }

  func run() throws {
    if list { return try printMethods() }
    guard let statistics, let model, let method, let output else { return }
    func request(_ sparsity: Double, sourceShare: Double? = nil) throws -> SolverRequest {
      try SolverRequest(
        method: method, norm: norm, source: source, sourceShare: sourceShare, secondCut: secondCut, inputCut: inputCut,
        attention: attention == .on, allocation: allocation, head: head == .on, sparsity: sparsity)
    }
    let sparsity = bytesShare.isEmpty ? sparsity : bytesShare.map(SolverRequest.sparsity(bytesShare:))
    let sourceShare = try sourcesAt.map { try request($0).rowShare }
    let requests = try sparsity.map { try request($0, sourceShare: sourceShare) }
    let solved = try SolveStage(requests, sample: sample, threads: threads.threads).run(
      Checkpoint.open(model), StatisticsFile(path: statistics), options.console)
    if solved.count > 1 { try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true) }
    let results = try solved.map { thresholds in
      let path = solved.count > 1 ? output + "/" + thresholds.request.fileName : output
      try writeAtomically(thresholds.encoded(), to: path)
      return Result(output: path, sparsity: thresholds.request.sparsity, realised: thresholds.realised)
    }
    let text = results.map(\.text).joined(separator: "\n")
    if results.count == 1 {
      try options.print(results[0], text: text)
    } else {
      try options.print(Ladder(output: output, thresholds: results), text: text)
    }
  }

  /// Of each option what a method takes unless told otherwise comes first.
  private func printMethods() throws {
    let methods = SolverRequest.Method.solvable.map { method in
      Method(
        name: method, norms: method.norms, sources: method.sources, secondCut: method.defaultSecondCut,
        inputCutOfSparsity: method.inputCutOfSparsity, allocations: method.allocations, exportable: method.isExportable)
    }
    let lines = methods.map { method in
      guard method.exportable else {
        return "\(method.name.rawValue): inputs of all projections, allocation "
          + "\(method.allocations.map(\.rawValue).joined(separator: " or ")); for comparison, bundles cannot hold it"
      }
      let norms = method.norms.isEmpty ? "" : ", norm \(method.norms.map(\.rawValue).joined(separator: " or "))"
      let cuts = [
        method.secondCut > 0 ? ", second cut \(method.secondCut)" : "",
        method.inputCutOfSparsity > 0 ? ", input cut \(method.inputCutOfSparsity) of the sparsity" : "",
      ]
      return "\(method.name.rawValue): source \(method.sources.map(\.rawValue).joined(separator: " or "))\(norms)"
        + cuts.joined() + ", allocation \(method.allocations.map(\.rawValue).joined(separator: " or "))"
    }
    try options.print(Methods(methods: methods), text: lines.joined(separator: "\n"))
  }

  private struct Methods: Encodable {
    var methods: [Method]
  }

  private struct Method: Encodable {
    var name: SolverRequest.Method
    var norms: [CHESS.Norm]
    var sources: [MaskSource]
    var secondCut: Double
    var inputCutOfSparsity: Double
    var allocations: [Allocation]
    /// Whether a bundle can hold its thresholds.
    var exportable: Bool
  }

  private struct Ladder: Encodable {
    var output: String
    var thresholds: [Result]
  }

  private struct Result: Encodable {
    var output: String
    var sparsity: Double
    var realised: Thresholds.Shares

    var text: String {
      let down = realised.down.map { " and \(Format.percent($0)) of down columns" } ?? ""
      let first =
        realised.otherInput.map { "\(Format.percent($0)) of FFN inputs" }
        ?? "\(Format.percent(realised.ffn)) of FFN channels"
      return "\(output): drops \(first)\(down) on the calibration text"
    }
  }
}

extension SolverRequest.Method: ExpressibleByArgument {
  public init?(argument: String) {
    guard let method = Self.solvable.first(where: { $0.rawValue == argument }) else { return nil }
    self = method
  }

  public static var allValueStrings: [String] { solvable.map(\.rawValue) }
}
extension CHESS.Norm: ExpressibleByArgument {}
extension MaskSource: ExpressibleByArgument {}
extension Allocation: ExpressibleByArgument {}
