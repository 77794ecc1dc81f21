import ActivationStatistics
import Checkpoints
import Corpus
import Evaluation
import Files
import Foundation
import Reports
import SparseBundle
import TestSupport
import Testing
import ThresholdSolver
import Tokenizers

@testable import Pipeline

struct EvaluationStagesTests {
  private let folder = TemporaryFolder()
  private let console = Console(quiet: true)

  @Test func bundleBesideItsModelIsComparedWithUnroundedWeights() throws {
    let bundle = try writeBundle(.llama, .q4)
    let text = EvaluateStage(files: [try writeText()], sequenceLength: 32, maximumTokens: 128, threads: 2)
    func report(model: String?) throws -> PerplexityReport {
      let source = try MeasuredSource(model: model, bundle: bundle)
      let windows = try text.windows(source.tokenizer, model: source.name)
      let (dense, others) = try text.run(
        source.reference, windows, [MeasuredWeights(source.weights, [source.thresholds])], model: source.name, console)
      return PerplexityReport(source, dense: dense, others[0][0], positions: .all)
    }
    let (alone, beside) = (try report(model: nil), try report(model: TinyModel.llama.folder))
    #expect(alone.dense?.weights == .bundle && beside.dense?.weights == .model)
    #expect(alone.nll == beside.nll && alone.dense?.nll != beside.dense?.nll && alone.kl != beside.kl)
    #expect(alone.weights == .q4 && alone.tokens == 4 * 31 && alone.cluster == .document && alone.clusters > 1)
    #expect(alone.bytesPerToken < alone.dense?.bytesPerToken ?? 0 && alone.activatedShare < 1)
    let increase = try #require(beside.nllIncrease)
    #expect((increase - (beside.nll - (beside.dense?.nll ?? 0))).magnitude < 1e-12)
  }

  @Test func modelWithoutThresholdsIsTheDenseModel() throws {
    let source = try MeasuredSource(model: TinyModel.qwen2.folder, bundle: nil)
    let text = EvaluateStage(files: [try writeText()], sequenceLength: 32, maximumTokens: 64, threads: 1)
    let (dense, _) = try text.run(
      source.reference, text.windows(source.tokenizer, model: source.name), [], model: source.name, console)
    let report = PerplexityReport(source, dense: dense, nil, positions: .all)
    #expect(report.kl == nil && report.dense == nil && report.activatedShare == 1 && report.weights == .f32)
    #expect(report.bytesPerToken == 4 * report.activatedParameters)
  }

  @Test func whatWasMadeWithAnotherModelIsRefused() throws {
    let bundle = try writeBundle(.llama, .f32)
    let thresholds = folder.path("thresholds.safetensors")
    try writeAtomically(TinyModel.llama.open().someThresholds().encoded(), to: thresholds)
    #expect(throws: PipelineError.otherModel(file: bundle, model: TinyModel.qwen3.folder)) {
      try MeasuredSource(model: TinyModel.qwen3.folder, bundle: bundle)
    }
    #expect(throws: (any Error).self) {
      try MeasuredSource(model: TinyModel.qwen3.folder, bundle: nil, thresholds: thresholds)
    }
    #expect(try MeasuredSource(model: TinyModel.llama.folder, bundle: nil, thresholds: thresholds).thresholds != nil)
    #expect(throws: PipelineError.self) { try MeasuredSource(model: nil, bundle: nil) }
  }

  @Test func continuationsOfThresholdsThatDropNothingAreTheDenseOnes() throws {
    let path = try writeBundle(.llama3, .f16) { _ in 0 }
    let report = try ContinuationsStage(prompts: ["One", "Another one"], tokens: 12).run(
      ModelBundle(path: path), console)
    #expect(report.equalShare == 1 && report.equalPrefixShare == 1 && report.equalShareStderr == 0)
    #expect(report.continuations.map(\.prompt) == ["One", "Another one"])
    #expect(report.continuations.allSatisfy { $0.dense == $0.sparse && $0.equalPrefix <= 12 })
    #expect(report.repetition.dense == report.repetition.sparse)
  }

  @Test func continuationsOfThresholdsThatDropEverythingDiffer() throws {
    let path = try writeBundle(.llama3, .f16) { _ in .infinity }
    let report = try ContinuationsStage(tokens: 12).run(ModelBundle(path: path), console)
    #expect(report.prompts >= 5 && report.equalShare < 1)
  }

  @Test func tasksOfAFolderAreAsked() throws {
    let checkpoint = try TinyModel.llama.open()
    let stage = TasksStage(folder: SharedFixtures.path("tasks"), limit: 4, threads: 2)
    let tasks = try stage.tasks(Tokenizer(checkpoint.tokenizer), checkpoint.configuration)
    let results = try stage.run(checkpoint.weights, checkpoint.someThresholds(), tasks, console)
    let report = TasksReport(results, weights: .f32)
    #expect(report.tasks.map(\.task) == ["tiny"] && report.tasks[0].n == 4 && report.tasks[0].predictions.count == 4)
    #expect(report.mean == report.tasks[0].acc && report.meanStderr == report.tasks[0].accStderr)
    #expect(try #require(report.realised).ffn > 0.1)
    let twice = TasksReport(results + results, weights: .f32)
    #expect(twice.mean == report.mean)
    let error = try #require(twice.meanStderr)
    #expect((error - (report.meanStderr ?? 0) / 2.0.squareRoot()).magnitude < 1e-12)
  }

  /// On documents that thresholds were solved on, the first layer drops what the statistics say; later ones see what
  /// masks left of it.
  @Test func textLikeTheCalibrationTextFits() throws {
    let checkpoint = try TinyModel.llama.open()
    let (text, file) = (try writeText(), folder.path("thresholds.safetensors"))
    var thresholds = try solve(checkpoint, on: text)
    try writeAtomically(thresholds.encoded(), to: file)
    func report(_ statistics: String?, tolerance: Double) throws -> DriftReport {
      let text = EvaluateStage(files: [text], sequenceLength: 32, maximumTokens: 256, threads: 1)
      return try DriftStage(text: text, statistics: statistics, tolerance: tolerance)
        .run(MeasuredSource(model: checkpoint.path, bundle: nil, thresholds: file), console)
    }
    let known = try report(folder.path("statistics.h5"), tolerance: 0.2)
    #expect(known.verdict == .fits && known.layerCalibration == .statistics && known.tokens == 256)
    #expect(known.places.map(\.place) == [.ffn, .query, .output] && known.layers.map(\.count) == [3, 3, 3])
    #expect(try known.layers[0].allSatisfy { try #require($0.difference).magnitude < 0.05 })
    let unknown = try report(nil, tolerance: 0)
    #expect(unknown.verdict == .drifted && unknown.layerCalibration == .unknown)
    #expect(
      unknown.layers[0].allSatisfy { $0.within == nil }
        && unknown.places.map(\.realised) == known.places.map(\.realised))

    thresholds.statisticsHash = "other"
    try writeAtomically(thresholds.encoded(), to: file)
    #expect(throws: PipelineError.self) { try report(folder.path("statistics.h5"), tolerance: 1) }
  }

  /// A budget that is divided by what places were measured to lose loses less than one that is not, and reads as much.
  @Test func dividedBudgetLosesLess() throws {
    let checkpoint = try TinyModel.llama.open()
    let text = try writeText()
    _ = try solve(checkpoint, on: text)
    let requests = try [Allocation.uniform, .global].map {
      try SolverRequest(method: .chess, attention: true, allocation: $0, sparsity: 0.5)
    }
    let solved = try SolveStage(requests, sample: folder.path("sample.h5"), threads: 2)
      .run(checkpoint, StatisticsFile(path: folder.path("statistics.h5")), console)
    func saved(_ shares: Thresholds.Shares) throws -> Double {
      try 2 * 160 * shares.ffn + 64 * #require(shares.query) + 64 * #require(shares.output)
    }
    let (uniform, global) = try (saved(solved[0].realised), saved(solved[1].realised))
    #expect(abs(global / uniform - 1) < 0.01)
    #expect(solved[0].allocationMeasuredOn == nil)
    let stage = EvaluateStage(files: [text], sequenceLength: 32, maximumTokens: 512, threads: 2)
    let (_, measured) = try stage.run(
      checkpoint.weights, Tokenizer(checkpoint.tokenizer), model: checkpoint.path, solved, console)
    let (divided, undivided) = try (#require(measured[1].kl), #require(measured[0].kl))
    #expect(divided < undivided)
  }

  /// Thresholds and bundles say which text was probed: the sample as `inspect` knows it, or the program's own.
  @Test func probedTextIsNoted() throws {
    let checkpoint = try TinyModel.llama.open()
    _ = try solve(checkpoint, on: writeText())
    let sample = folder.path("sample.h5")
    let hash = try TokenSequences(contentsOf: URL(filePath: sample)).contentHash
    let request = try SolverRequest(method: .chess, attention: true, allocation: .global, sparsity: 0.5)
    for (path, text) in [(sample, hash), (nil, "built-in")] {
      let solved = try SolveStage([request], sample: path, threads: 2)
        .run(checkpoint, StatisticsFile(path: folder.path("statistics.h5")), console)[0]
      let noted = try #require(solved.allocationMeasuredOn)
      #expect(noted.text == text && solved.headMeasuredOn == nil)
      // All of the sample's 16 sequences of 32 tokens.
      if path != nil { #expect(noted.tokens == 512) }
      try ExportStage(type: .f32, threads: 2).run(checkpoint, solved, output: folder.path("bundle"), console)
      let bundle = try ModelBundle(path: folder.path("bundle"))
      #expect(bundle.manifest.sparsification.allocationMeasuredOn == noted)
      #expect(bundle.thresholds == solved)
      let facts = try Inspection(path: folder.path("bundle")).facts
      #expect(facts.contains { $0 == ("allocation measured on", "\(noted.tokens) tokens of \(text)") })
    }
  }

  /// The same bytes in every layer, and on the text that was searched on no layer errs more than with one share everywhere.
  @Test(arguments: [SolverRequest.Method.magnitude, .wina])
  func greedyDivisionErrsLess(_ method: SolverRequest.Method) throws {
    let checkpoint = try TinyModel.llama.open()
    _ = try solve(checkpoint, on: writeText())
    let requests = try [(Allocation.uniform, 0.3), (.greedy, 0.3), (.uniform, 0.5), (.greedy, 0.5)].map {
      try SolverRequest(method: method, attention: true, allocation: $0, sparsity: $1)
    }
    let statistics = try StatisticsFile(path: folder.path("statistics.h5"))
    let solved = try SolveStage(requests, sample: folder.path("sample.h5"), threads: 2)
      .run(checkpoint, statistics, console)
    let sample = try TokenSequences(contentsOf: URL(filePath: folder.path("sample.h5")))
    let weights: [Thresholds.Place: Double] = [
      .query: 4096, .key: 2048, .value: 2048, .output: 4096, .input: 10240, .otherInput: 10240, .down: 10240,
    ]
    try LayerErrorWalk(checkpoint.weights, threads: 2).run((0..<sample.count).map { sample[$0] }) { trial in
      let record = try statistics.layer(trial.index)
      let errors = try solved.map { try trial.error($0.layers[trial.index]) }
      #expect(errors[1] < errors[0] && errors[3] < errors[2], "layer \(trial.index): \(errors)")
      for thresholds in solved {
        let shares = thresholds.layers[trial.index].sharesDropped(record, gateActivation: .silu)
        let saved = weights.reduce(0.0) { sum, place in sum + place.value * (shares[place.key] ?? 0) }
        #expect((saved / 43008 - thresholds.request.sparsity).magnitude < 1e-3)
      }
    }
  }

  @Test func sampleOfAnotherModelIsRefused() throws {
    let checkpoint = try TinyModel.llama.open()
    _ = try solve(checkpoint, on: writeText())
    let sample = try TokenSequences(
      tokens: [Int32](repeating: 1_000_000, count: 64), sequenceLength: 32,
      provenance: try TokenSequences(contentsOf: URL(filePath: folder.path("sample.h5"))).provenance)
    try sample.write(to: URL(filePath: folder.path("foreign.h5")))
    let request = try SolverRequest(method: .chess, attention: true, allocation: .global, sparsity: 0.5)
    #expect(throws: PipelineError.foreignTokens(sample: folder.path("foreign.h5"), model: checkpoint.path)) {
      try SolveStage([request], sample: folder.path("foreign.h5"))
        .run(checkpoint, StatisticsFile(path: folder.path("statistics.h5")), console)
    }
  }

  /// Samples a text, collects its statistics, and solves.
  private func solve(_ checkpoint: Checkpoint, on text: String) throws -> Thresholds {
    let (sample, statistics) = (folder.path("sample.h5"), folder.path("statistics.h5"))
    try SampleStage(sources: [TextSource(patterns: [text])], tokens: 512, sequenceLength: 32, seed: 1)
      .run(checkpoint, output: sample, console)
    try CollectStage(threads: 1).run(
      checkpoint, TokenSequences(contentsOf: URL(filePath: sample)), samplePath: sample, output: statistics,
      resuming: .never, console)
    let request = try SolverRequest(method: .chess, attention: true, sparsity: 0.5)
    return try SolveStage([request]).run(checkpoint, StatisticsFile(path: statistics), console)[0]
  }

  private func writeText() throws -> String {
    let path = folder.path("text.jsonl")
    let lines = (0..<40).map { #"{"text": "Document \#($0) says that winter came early."}"# }
    try writeAtomically(lines.joined(separator: "\n").utf8, to: path)
    return path
  }

  private func writeBundle(
    _ model: TinyModel, _ type: WeightType, threshold: ((Float) -> Float)? = nil
  ) throws -> String {
    let checkpoint = try model.open()
    var thresholds = try checkpoint.someThresholds()
    if let threshold {
      thresholds.layers = thresholds.layers.map { layer in
        .init(
          ffn: layer.ffn.map(threshold), query: layer.query?.map(threshold), output: layer.output?.map(threshold))
      }
    }
    let path = folder.path("bundle")
    try ExportStage(type: type, threads: 2).run(checkpoint, thresholds, output: path, console)
    return path
  }
}
