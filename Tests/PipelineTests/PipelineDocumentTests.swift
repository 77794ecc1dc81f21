import Files
import TestSupport
import Testing

@testable import Pipeline

struct PipelineDocumentTests {
  private let folder = TemporaryFolder()

  private static let text = """
    model: {path: model.gguf}
    sample:
      sources: [{files: [a.jsonl], weight: 2}, {files: [b.txt]}]
      tokens: 64
      sequence_length: 32
      seed: 1
    collect: {sinks: 2, memory: 500 MB, until_confident: 2%}
    solve:
      - {method: cats, sparsity: [0.5]}
      - {method: chess, norm: mean, attention: true, sparsity: [0.3, 0.5]}
      - {method: energy, source: up, second_cut: 0.2, sparsity: [0.5]}
    evaluate: {files: [c.jsonl], sequence_length: 32, tokens: 64}
    export: {method: cats, sparsity: 0.5, weights: bf16}
    """

  private func document(_ text: String = text, _ settings: [String] = []) throws -> PipelineDocument {
    let path = folder.path("pipeline.yaml")
    try writeAtomically(text.utf8, to: path)
    return try PipelineDocument(path: path, settings: settings)
  }

  @Test func everyKeyIsRead() throws {
    let document = try document()
    #expect(document.sample.sources.map(\.weight) == [2, nil])
    #expect(document.collect?.memory?.bytes == 500_000_000)
    #expect(document.collect?.untilConfident?.share == 0.02)
    #expect(document.export.weights == .bf16)
    #expect(try document.requests.map(\.sparsity) == [0.5, 0.3, 0.5, 0.5])
    #expect(try document.requests[1].norm == .mean)
    #expect(try document.requests[3].source == .up && document.requests[3].secondCut == 0.2)
  }

  @Test func settingsReplaceWhatTheFileSays() throws {
    let document = try document(
      Self.text, ["sample.tokens=128", "solve.1.sparsity=[0.7]", "model.path=other.gguf", "evaluate.field=body"])
    #expect(document.sample.tokens == 128)
    #expect(try document.requests.map(\.sparsity) == [0.5, 0.7, 0.5])
    #expect(document.model.path == "other.gguf")
    #expect(document.evaluate.field == "body")
  }

  @Test(
    arguments: [
      (["sampel.tokens=5"], "sampel"), (["sample.tokens=many"], "sample.tokens"), (["export.sparsity=0.9"], "export"),
      (["solve.0.sparsity=[1.5]"], "1.5"), (["solve.0.norm=rms"], "norm"), (["solve.0.source=up"], "source"),
      (["solve.2.second_cut=0.6"], "second cut"), (["solve.2.source=down"], "source"), (["sample.tokens=16"], "sample"),
      (["evaluate.sequence_length=1"], "evaluate"), (["collect.memory=lots"], "collect.memory"),
      (["collect.sinks=-1"], "sinks"), (["collect.until_confident=100%"], "until_confident"),
      (["solve.7.method=cats"], "solve.7.method"), (["tokens"], "tokens"),
    ])
  func mistakesAreNamed(settings: [String], word: String) throws {
    let error = #expect(throws: PipelineError.self) { try document(Self.text, settings) }
    #expect("\(error.map { "\($0)" } ?? "")".contains(word))
  }

  /// Methods that bundles cannot hold are measured, but not exported.
  @Test(arguments: ["magnitude", "wina"])
  func onlyMethodsThatBundlesHoldAreExported(_ method: String) throws {
    let text = Self.text.replacing("solve:", with: "solve:\n  - {method: \(method), attention: true, sparsity: [0.5]}")
    #expect(try document(text).requests.count == 5)
    let settings = ["export.method=\(method)", "export.attention=true"]
    let error = #expect(throws: PipelineError.self) { try document(text, settings) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("bundles cannot hold the thresholds of method '\(method)'"))
  }

  @Test(arguments: ["", "[1, 2", "model: 3", "just text", "sample: {}"])
  func whatIsNoPipelineIsRefused(text: String) {
    #expect(throws: PipelineError.self) { try document(text) }
  }

  @Test(
    arguments: [
      ("1", 1), ("12KB", 12_000), ("3 MB", 3_000_000), ("1GB", 1_000_000_000), ("0", nil), ("-1", nil), ("1TB", nil),
      ("GB", nil), ("9999999GB", nil), ("1.5GB", nil),
    ] as [(String, Int?)])
  func sizesAreReadWithTheirUnits(text: String, bytes: Int?) { #expect(MemorySize(text)?.bytes == bytes) }

  @Test func shardsCoverEverySequenceOnce() throws {
    for (sequences, count) in [(1, 1), (10, 3), (128, 7), (1 << 40, 1000)] {
      let ranges = try (1...count).map { try CollectStage.Shard(index: $0, count: count).range(of: sequences) }
      #expect(ranges.first?.lowerBound == 0 && ranges.last?.upperBound == sequences)
      #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound && !$0.isEmpty })
    }
    #expect(throws: PipelineError.self) { try CollectStage.Shard(index: 1, count: 4).range(of: 3) }
    #expect(throws: PipelineError.self) { try CollectStage.Shard(index: 5, count: 4).range(of: 9) }
  }
}
