import ActivationStatistics
import Checkpoints
import Corpus
import Evaluation
import Files
import Foundation
import Reports
import SparseBundle
import ThresholdSolver
import Tokenizers

/// Measures every row of a comparison on the same text and writes `compare.json`, `compare.csv`, `compare.md` and
/// `report.html`.
///
/// Rows are measured a few at a time, which share the dense model's walk through the layers. Each finished row is a
/// file in `cells/`, named by a digest of all that it depends on: an interrupted comparison goes on behind the last
/// finished rows, and one that is changed measures what is new.
public struct ComparisonRunner {
  /// More share the dense model's pass, but are lost together where the process is killed.
  private static let rowsAWalk = 6
  private static let reference = "dense"

  private let document: ComparisonDocument
  private let base: String
  private let output: String
  private let stage: EvaluateStage
  private let console: Console
  private let model: Checkpoint

  /// - Parameters:
  ///   - base: The folder that relative paths of the document start from.
  ///   - output: The folder for what is written; made where it does not exist.
  public init(_ document: ComparisonDocument, base: String, output: String, threads: Int, _ console: Console) throws {
    self.document = document
    self.base = base
    self.output = output
    self.console = console
    let evaluate = document.evaluate
    stage = EvaluateStage(
      files: evaluate.files.map { PipelineDocument.resolve($0, base) }, field: evaluate.field ?? "text",
      sequenceLength: evaluate.sequenceLength, maximumTokens: evaluate.tokens, threads: threads)
    model = try Checkpoint.open(PipelineDocument.resolve(document.model.path, base))
    try FileManager.default.createDirectory(atPath: output + "/cells", withIntermediateDirectories: true)
  }

  /// - Throws: What any part throws; finished rows stay.
  public func run() throws -> Comparison {
    let lock = try FileLock(path: output + "/.lock", of: output)
    defer { withExtendedLifetime(lock) {} }
    let windows = try stage.windows(Tokenizer(model.tokenizer), model: model.path)
    let statistics = try document.statistics.map { try StatisticsFile(path: PipelineDocument.resolve($0, base)) }
    let tasks = try document.tasks.map {
      try ComparisonTasks(
        $0, folder: PipelineDocument.resolve($0.folder, base), model, cells: output + "/cells", threads: stage.threads)
    }
    let candidates = try candidates(windows, statistics)
    let baseline = document.baseline ?? candidates.first { $0.kind == .method }?.label
    guard baseline.map({ name in candidates.contains { curve($0) == name } }) ?? true else {
      let known = Set(candidates.map(curve)).sorted().joined(separator: ", ")
      throw PipelineError.badSetting("baseline", reason: "no row is called '\(baseline ?? "")': choose one of \(known)")
    }
    try measure(candidates.filter { cell($0) == nil }, windows)
    let rows = try candidates.compactMap { candidate in
      var row = cell(candidate)
      row?.tasks = try tasks?.run(candidate, console)
      return row
    }

    var comparison = Comparison(
      model: model.name, modelSha256: try model.hash,
      text: .init(
        files: try DocumentReader(patterns: stage.files).files.map { URL(filePath: $0).lastPathComponent },
        sequenceLength: stage.sequenceLength, windows: windows.windows.count),
      statisticsSha256: try statistics.map { try sha256(ofFile: $0.path) }, baseline: baseline,
      rows: rows)
    comparison.compareWithBaseline()
    comparison.compareWithDense()
    try write(comparison, try statistics.map { try LayerDistributions($0, candidates.compactMap(\.thresholds)) })
    return comparison
  }

  private func curve(_ candidate: ComparisonCandidate) -> String {
    candidate.kind == .model ? ComparisonRow.models : candidate.label
  }

  // MARK: What there is to measure

  private func candidates(_ windows: TokenWindows, _ statistics: StatisticsFile?) throws -> [ComparisonCandidate] {
    let measuredOn = ComparisonRow.MeasuredOn(windows, modelHash: try model.hash)
    let solved = try solve(statistics)
    var candidates = [ComparisonCandidate(model, as: .f32, label: Self.reference, measuredOn)]
    for entry in document.rows {
      switch entry {
      case .method(let solve, let type):
        for request in try solve.requests {
          guard let thresholds = solved[request] else { continue }
          candidates.append(try ComparisonCandidate(model, as: type, thresholds, measuredOn))
        }
      case .weights(.f32): continue  // the dense row that every comparison has
      case .weights(let type):
        candidates.append(ComparisonCandidate(model, as: type, label: "dense \(type.rawValue)", measuredOn))
      case .bundle(let path, let name): candidates.append(try bundle(path, name, measuredOn))
      case .checkpoint(let path, let name, let bytes):
        candidates.append(try checkpoint(path, name, bytes: bytes, measuredOn))
      }
    }
    return candidates
  }

  /// Every request once, whatever weights it is measured with.
  private func solve(_ statistics: StatisticsFile?) throws -> [SolverRequest: Thresholds] {
    var requests: [SolverRequest] = []
    for case .method(let entry, _) in document.rows {
      for request in try entry.requests where !requests.contains(request) { requests.append(request) }
    }
    guard let statistics, !requests.isEmpty else { return [:] }
    let sample = document.sample.map { PipelineDocument.resolve($0, base) }
    let solved = try SolveStage(requests, sample: sample, threads: stage.threads).run(model, statistics, console)
    return Dictionary(uniqueKeysWithValues: zip(requests, solved))
  }

  private func bundle(
    _ path: String, _ name: String?, _ measuredOn: ComparisonRow.MeasuredOn
  ) throws -> ComparisonCandidate {
    let bundle = try ModelBundle(path: PipelineDocument.resolve(path, base))
    guard bundle.manifest.model.sha256 == (try model.hash) else {
      throw PipelineError.otherModel(file: bundle.path, model: model.path)
    }
    let type = bundle.manifest.weights.type
    var candidate = ComparisonCandidate(
      label: name ?? URL(filePath: path).lastPathComponent, kind: .bundle, weightsName: type.rawValue,
      source: bundle.weights, group: "bundle \(path)", thresholds: bundle.thresholds, storage: .bundle(type),
      measuredOn: measuredOn)
    candidate.measuredOn.weightsSha256 = try sha256(ofFile: bundle.path + "/" + BundleFile.manifest)
    candidate.measuredOn.thresholdsSha256 = try bundle.thresholds.digest
    return candidate
  }

  private func checkpoint(
    _ path: String, _ name: String?, bytes: Double?, _ measuredOn: ComparisonRow.MeasuredOn
  ) throws -> ComparisonCandidate {
    let other = try Checkpoint.open(PipelineDocument.resolve(path, base))
    var candidate = ComparisonCandidate(
      label: name ?? URL(filePath: path).deletingPathExtension().lastPathComponent, kind: .model,
      weightsName: other.format.rawValue, source: other.weights, group: "checkpoint \(path)",
      storage: .file(try bytes ?? other.bytesPerToken), measuredOn: measuredOn)
    candidate.measuredOn.weightsSha256 = try other.hash
    return candidate
  }

  // MARK: Measuring

  private func measure(_ missing: [ComparisonCandidate], _ windows: TokenWindows) throws {
    for start in stride(from: 0, to: missing.count, by: Self.rowsAWalk) {
      let batch = Array(missing[start..<min(start + Self.rowsAWalk, missing.count)])
      console.note(
        "compare: rows \(start + 1) to \(start + batch.count) of \(missing.count): "
          + batch.map(\.label).joined(separator: ", "))
      // The reference is measured in every walk; where its row is missing it is the batch's first.
      let isReference = { (candidate: ComparisonCandidate) in candidate.label == Self.reference }
      let others = batch.filter { !isReference($0) }
      let groups = others.reduce(into: [String]()) { if !$0.contains($1.group) { $0.append($1.group) } }
      let members = groups.map { group in others.filter { $0.group == group } }
      let (dense, measured) = try stage.run(
        model.weights, windows, members.map { MeasuredWeights($0[0].source, $0.map(\.thresholds)) }, model: model.path,
        console)
      for candidate in batch where isReference(candidate) { try store(candidate, dense) }
      for (members, measured) in zip(members, measured) {
        for (candidate, perplexity) in zip(members, measured) { try store(candidate, perplexity) }
      }
    }
  }

  private func path(_ candidate: ComparisonCandidate) -> String { "\(output)/cells/\(candidate.key).json" }

  private func store(_ candidate: ComparisonCandidate, _ measured: Perplexity) throws {
    try writeReport(candidate.row(measured), to: path(candidate))
  }

  /// `nil` where the row is not finished, or was left half written by another program.
  private func cell(_ candidate: ComparisonCandidate) -> ComparisonRow? { try? readReport(path(candidate)) }

  private func write(_ comparison: Comparison, _ distributions: LayerDistributions?) throws {
    try writeReport(comparison, to: output + "/compare.json")
    try writeAtomically(comparison.csv.utf8, to: output + "/compare.csv")
    try writeAtomically(comparison.markdown.utf8, to: output + "/compare.md")
    try writeAtomically(comparison.page(distributions).utf8, to: output + "/report.html")
  }
}
