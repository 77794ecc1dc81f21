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

/// Runs a pipeline in its folder: every stage from what the one before left on disk, and none that is
/// up to date.
public struct PipelineRunner: Sendable {
  /// The stages in their order.
  public enum Stage: String, Sendable, CaseIterable {
    case sample, collect, solve, export, evaluate
  }

  private static let prompt = "The river had frozen over in the night, and"
  private static let generatedTokens = 16

  let document: PipelineDocument
  private let base: String
  let output: String
  let threads: Int
  let console: Console
  let cache: StageCache
  let model: Checkpoint

  /// - Parameters:
  ///   - base: The folder that relative paths of the document start from.
  ///   - output: The folder of the run; made where it does not exist.
  public init(_ document: PipelineDocument, base: String, output: String, threads: Int, _ console: Console) throws {
    self.document = document
    self.base = base
    self.output = output
    self.threads = threads
    self.console = console
    cache = StageCache(folder: output)
    model = try Checkpoint.open(PipelineDocument.resolve(document.model.path, base))
    try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
  }

  /// - Parameters:
  ///   - first: Stages from this one on are run even if they are up to date.
  ///   - last: The last stage to run.
  /// - Returns: The report, where all stages were run or are up to date.
  /// - Throws: `FileError/inUse(path:by:)` where another process works in the folder, or what any stage throws.
  public func run(from first: Stage? = nil, until last: Stage = .evaluate) throws -> RunReport? {
    let lock = try FileLock(path: path(".lock"), of: output)
    defer { withExtendedLifetime(lock) {} }
    // What the last stage reads must be there before the first one spends its time.
    for source in sources { _ = try DocumentReader(patterns: source.patterns, field: source.field) }
    if last == .evaluate || last == .export { _ = try DocumentReader(patterns: evaluationFiles) }

    let shape = try PipelineShape(
      document, model, sources: sources, evaluated: evaluationFiles, threads: threads, shards: 1)
    for problem in Planner.misfits(shape, output: output) { console.note("warning: \(problem.stage): \(problem.text)") }

    var forced = false
    for stage in Stage.allCases {
      forced = forced || stage == first
      let fingerprint = StageCache.fingerprint([stage.rawValue] + (try inputs(of: stage)))
      if !forced, cache.isCurrent(stage.rawValue, fingerprint) {
        console.note("\(stage.rawValue): up to date")
      } else if !forced, stage == .collect, !cache.wasMade(stage.rawValue, fingerprint), try hasMergedStatistics {
        console.note("collect: \(path("statistics.h5")) was put together from parts")
        try cache.store(stage.rawValue, fingerprint, outputs: try outputs(of: stage))
      } else {
        try run(stage, forced: forced)
        try cache.store(stage.rawValue, fingerprint, outputs: try outputs(of: stage))
      }
      if stage == last { break }
    }
    return last == .evaluate ? try readReport(path("report.json")) : nil
  }

  private func run(_ stage: Stage, forced: Bool) throws {
    switch stage {
    case .sample:
      let sample = document.sample
      try SampleStage(
        sources: sources, tokens: sample.tokens, sequenceLength: sample.sequenceLength, seed: sample.seed
      ).run(model, output: path("sample.h5"), console)
    case .collect:
      try collect(resuming: forced ? .never : .whereSame)
    case .solve:
      let requests = try document.requests
      let solved = try SolveStage(requests, sample: path("sample.h5"), threads: threads)
        .run(model, StatisticsFile(path: path("statistics.h5")), console)
      // Files are called by what was asked for: a head that cannot be read on demand is read whole.
      for (request, thresholds) in zip(requests, solved) {
        let bytes = try thresholds.encoded()
        if requests.count > 1 { try writeAtomically(bytes, to: path(request.fileName)) }
        if request == (try document.exported) {
          try writeAtomically(bytes, to: path("thresholds.safetensors"))
        }
      }
    case .export:
      let text = LossText.files(evaluationFiles, field: document.evaluate.field ?? "text")
      try ExportStage(type: document.export.weights, text: text, threads: threads).run(
        model, Thresholds(SafetensorsFile(path: path("thresholds.safetensors"))), output: path("bundle"), console)
    case .evaluate:
      let report = try report()
      try writeReport(report, to: path("report.json"))
      if let checks = report.verification?.checks.filter({ !$0.ok }), !checks.isEmpty {
        throw PipelineError.verificationFailed(bundle: path("bundle"), checks: checks.map(\.name))
      }
    }
  }

  private func collect(resuming: StatisticsCheckpoint.Resumption) throws {
    let stage = collectStage
    let (sample, output) = (path("sample.h5"), path("statistics.h5"))
    let sequences = try TokenSequences(contentsOf: URL(filePath: sample))
    guard let limit = document.collect?.untilConfident else {
      return try stage.run(model, sequences, samplePath: sample, output: output, resuming: resuming, console)
    }
    let report = try ConfidentCollection(stage, limit: limit.share).run(
      model, sequences, samplePath: sample, output: output, resuming: resuming, console)
    try writeReport(report, to: path("confidence.json"))
  }

  // MARK: What stages depend on

  /// Everything but the program that decides what a stage makes: its settings and the digests of its inputs.
  func inputs(of stage: Stage) throws -> [String] {
    func digest(_ file: String) throws -> String { try sha256(ofFile: path(file)) }
    func digests(_ files: [String]) throws -> [String] { try files.map(KnownDigests.standard().sha256(ofFile:)) }
    func texts() throws -> [String] { try digests(DocumentReader(patterns: evaluationFiles).files) }
    switch stage {
    case .sample:
      let files = try sources.flatMap { try DocumentReader(patterns: $0.patterns, field: $0.field).files }
      return [try settings(document.sample), try model.hash] + (try digests(files))
    case .collect:
      // How much stays in memory does not change the statistics.
      let sample = try TokenSequences(contentsOf: URL(filePath: path("sample.h5")))
      let limit = document.collect?.untilConfident.map { ["until confident \($0.share)"] } ?? []
      let scores = document.collect?.scores.map { ["scores \($0.rawValue)"] } ?? []
      return ["sinks \(document.collect?.sinks ?? 0)", try model.hash, sample.contentHash] + limit + scores
    case .solve:
      return [try settings(document.solve), try settings(document.export), try digest("statistics.h5")]
    case .export:
      return try [document.export.weights.rawValue, document.evaluate.field ?? "text", model.hash]
        + [digest("thresholds.safetensors")] + texts()
    case .evaluate:
      return try [settings(document.evaluate), model.hash, digest("bundle/manifest.json")]
        + thresholdFiles.map(digest) + texts()
    }
  }

  private func outputs(of stage: Stage) throws -> [String] {
    switch stage {
    case .sample: ["sample.h5"]
    case .collect: ["statistics.h5"] + (document.collect?.untilConfident == nil ? [] : ["confidence.json"])
    case .solve: Array(Set(try thresholdFiles + ["thresholds.safetensors"]))
    case .export: try FileManager.default.contentsOfDirectory(atPath: path("bundle")).map { "bundle/" + $0 }
    case .evaluate: ["report.json", "report.html"]
    }
  }

  private func settings(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  // MARK: The report

  private func report() throws -> RunReport {
    let thresholds = try thresholdFiles.map { try Thresholds(SafetensorsFile(path: path($0))) }
    let evaluate = document.evaluate
    let stage = EvaluateStage(
      files: evaluationFiles, field: evaluate.field ?? "text", sequenceLength: evaluate.sequenceLength,
      maximumTokens: evaluate.tokens, threads: threads)
    let windows = try stage.windows(Tokenizer(model.tokenizer), model: model.path)
    let (dense, sparse) = try measure(thresholds, stage, windows)

    let checks = VerifyStage(threads: threads).run(path("bundle"), console)
    let bundle = try ModelBundle(path: path("bundle"))
    let generated = try GenerateStage(maximumTokens: Self.generatedTokens, threads: threads)
      .run(bundle, prompt: Self.prompt, console)
    let request = bundle.thresholds.request
    let report = RunReport(
      model: model.name, modelSha256: try model.hash,
      text: .init(
        files: try DocumentReader(patterns: evaluationFiles).files.map { URL(filePath: $0).lastPathComponent },
        sequenceLength: evaluate.sequenceLength, windows: dense.tokens / (evaluate.sequenceLength - 1)),
      dense: .init(perplexity: dense.perplexity, nll: dense.nll, tokens: dense.tokens),
      methods: zip(thresholds, sparse).map { RunReport.Method($0.request, $1, model.configuration) },
      bundle: .init(
        bytes: try bundle.size, weights: bundle.manifest.weights.type, method: request.method, norm: request.norm,
        source: request.source, secondCut: request.secondCut, inputCut: request.inputCut,
        sparsity: request.sparsity, attention: request.attention, allocation: request.allocation,
        head: request.head ? true : nil),
      verification: .init(checks),
      generation: generated.ids.isEmpty
        ? nil : .init(tokens: generated.ids.count, tokensPerSecond: generated.tokensPerSecond))
    let page = try report.page(
      model, windows, dense, Array(zip(thresholds, sparse)), StatisticsFile(path: path("statistics.h5")))
    try writeAtomically(page.utf8, to: path("report.html"))
    return report
  }

  /// The dense model's figures and those under each thresholds. What grades weights does so in planes, everything else is
  /// measured with the model's own; weights that no thresholds need are not rounded.
  private func measure(
    _ thresholds: [Thresholds], _ stage: EvaluateStage, _ windows: TokenWindows
  ) throws -> (dense: Perplexity, sparse: [Perplexity]) {
    let groups = Dictionary(grouping: thresholds.indices) { thresholds[$0].planes }
      .sorted { $0.key == nil && $1.key != nil }
    let (dense, others) = try stage.run(
      model.weights, windows,
      groups.map { planes, members in
        MeasuredWeights(
          planes.map { PlaneWeights(model.weights, $0) } ?? model.weights, members.map { thresholds[$0] })
      }, model: model.path, console)
    let measured = Dictionary(uniqueKeysWithValues: zip(groups.flatMap(\.value), others.joined()))
    return (dense, thresholds.indices.compactMap { measured[$0] })
  }

  // MARK: Paths

  func path(_ name: String) -> String { output + "/" + name }

  private var sources: [TextSource] { document.textSources(base) }

  private var evaluationFiles: [String] { document.evaluationFiles(base) }

  /// One file a request; a single request's is just `thresholds.safetensors`.
  private var thresholdFiles: [String] {
    get throws {
      let requests = try document.requests
      return requests.count == 1 ? ["thresholds.safetensors"] : requests.map(\.fileName)
    }
  }
}

extension RunReport.Method {
  fileprivate init(_ request: SolverRequest, _ measured: Perplexity, _ configuration: ModelConfiguration) {
    let activated = ActivatedParameters(configuration, shares: measured.shares)
    self.init(
      method: request.method, norm: request.norm, source: request.source, secondCut: request.secondCut,
      inputCut: request.inputCut, sparsity: request.sparsity, attention: request.attention,
      allocation: request.allocation, head: request.head ? true : nil,
      realised: Thresholds.Shares(meanOf: measured.shares), activatedParameters: activated.sparse,
      activatedShare: activated.share, perplexity: measured.perplexity, nll: measured.nll, kl: measured.kl ?? 0)
  }
}
