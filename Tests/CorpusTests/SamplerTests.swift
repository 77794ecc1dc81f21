import Foundation
import Testing

@testable import Corpus

struct SamplerTests {
  let folder = TemporaryFolder()

  /// The fixtures' three sources, drawn as `make_fixtures.py` draws them.
  @Test func sampleIsTheOneOfTheSecondImplementation() throws {
    let expected = try Expected.load()
    let text = try fixture("text")
    let sampler = try Sampler(
      sources: [
        TextSource(patterns: ["\(text)/first.jsonl"], weight: 2),
        TextSource(patterns: ["\(text)/second.*", "\(text)/third.*"], field: "content"),
        TextSource(patterns: ["\(text)/notes/**/*.*"], weight: 0.5),
      ], tokens: expected.requestedTokens, sequenceLength: expected.sequenceLength, seed: expected.seed)
    var progress: [SamplingProgress] = []
    let sample = try sampler.sample(
      endOfText: 0, tokenizer: "bytes", progress: { progress.append($0) }, encode: bytes)
    #expect(sample.tokens == expected.tokens)
    #expect(sample.contentHash == expected.contentHash)
    let accounts = sample.provenance.sources.map {
      Expected.Account(
        documents: $0.documents, duplicates: $0.duplicates, empty: $0.empty, used: $0.used, tokens: $0.tokens)
    }
    #expect(accounts == expected.accounts)
    let digests = sample.provenance.sources.flatMap(\.files).map { ($0.path.dropFirst(text.count + 1), $0.sha256) }
    #expect(Dictionary(digests.map { (String($0), $1) }) { first, _ in first } == expected.digests)
    #expect(progress.last?.bytesRead == progress.last?.bytes && progress.last?.documents == 144)
  }

  private func jsonl(_ documents: [String]) throws -> Data {
    try documents.reduce(into: Data()) { data, text in
      data += try JSONEncoder().encode(["text": text]) + Data("\n".utf8)
    }
  }

  @Test(arguments: 0..<5 as Range<UInt64>)
  func orderOfFilesAndLinesDoesNotMatter(seed: UInt64) throws {
    let documents = (0..<400).map { "document \($0) " + String(repeating: "x", count: $0 % 37) }
    var samples: Set<[Int32]> = []
    for trial in 0..<3 {
      let shuffled = documents.shuffled()
      try folder.file("\(trial)/b.jsonl", jsonl(Array(shuffled[..<150])))
      try folder.file("\(trial)/a.jsonl", jsonl(Array(shuffled[150...])))
      let sampler = try Sampler(
        sources: [TextSource(patterns: ["\(folder.root)/\(trial)/*"])], tokens: 2000, sequenceLength: 100, seed: seed)
      samples.insert(try sampler.sample(endOfText: 0, tokenizer: "", encode: bytes).tokens)
    }
    #expect(samples.count == 1)
  }

  /// Whatever part of their source the documents of a sample are.
  @Test func everyPartOfASampleIsOfTheSameMixture() throws {
    let small = try folder.file("small.jsonl", jsonl((0..<100).map { "\($0)" + String(repeating: "a", count: 17) }))
    let large = try folder.file("large.jsonl", jsonl((0..<3000).map { "\($0)" + String(repeating: "b", count: 17) }))
    let sampler = try Sampler(
      sources: [TextSource(patterns: [small]), TextSource(patterns: [large])], tokens: 3000, sequenceLength: 100,
      seed: 3)
    let sample = try sampler.sample(endOfText: 0, tokenizer: "", encode: bytes)
    for part in 0..<6 {
      let letters = sample.tokens[500 * part..<500 * (part + 1)].filter { $0 > 64 }
      let share = Double(letters.count { $0 == bytes("a")[0] }) / Double(letters.count)
      #expect((0.4...0.6).contains(share), "part \(part): \(share)")
    }
  }

  @Test func seedsDrawDifferently() throws {
    let path = try folder.file("a.jsonl", jsonl((0..<200).map { "document \($0)" }))
    let samples = try (0..<4).map { seed in
      try Sampler(sources: [TextSource(patterns: [path])], tokens: 300, sequenceLength: 30, seed: UInt64(seed))
        .sample(endOfText: 0, tokenizer: "", encode: bytes).tokens
    }
    #expect(Set(samples).count == 4)
  }

  @Test func onlyDocumentsThatMayBeInTheSampleAreEncoded() throws {
    let path = try folder.file("a.jsonl", jsonl((0..<2000).map { "document \($0)" }))
    let sampler = try Sampler(sources: [TextSource(patterns: [path])], tokens: 140, sequenceLength: 14, seed: 1)
    var encoded = 0
    _ = try sampler.sample(endOfText: 0, tokenizer: "") {
      encoded += 1
      return bytes($0)
    }
    // About 10 · ln(2000 / 10) + 10 are expected of a random order.
    #expect(encoded < 200)
  }

  @Test func shortageNamesTheSourceAndWhatItHas() throws {
    let path = try folder.file("a.txt", "0123456789".utf8)
    let sampler = try Sampler(sources: [TextSource(patterns: [path])], tokens: 13, sequenceLength: 4, seed: 1)
    #expect(
      throws: CorpusError.tooFewTokens(patterns: [path], available: 11, needed: 12, sequenceLength: 4)
    ) { try sampler.sample(endOfText: 0, tokenizer: "", encode: bytes) }
  }

  @Test func errorsOfTheTokenizerPassThrough() throws {
    struct Refused: Error {}
    let path = try folder.file("a.txt", "text".utf8)
    let sampler = try Sampler(sources: [TextSource(patterns: [path])], tokens: 4, sequenceLength: 4, seed: 1)
    #expect(throws: Refused.self) { try sampler.sample(endOfText: 0, tokenizer: "") { _ in throw Refused() } }
  }

  @Test(arguments: [
    ([1.0], 100, 10), ([1, 1, 1], 100, 10), ([1, 2, 4], 70, 7), ([1e308, 1e308, 1e-308], 99, 1),
    ([0.1, 0.2, 0.7], 11, 1),
  ])
  func sharesAddUpAndFollowTheWeights(weights: [Double], tokens: Int, sequenceLength: Int) throws {
    let shares = try Sampler(
      sources: weights.map { TextSource(patterns: ["x"], weight: $0) }, tokens: tokens, sequenceLength: sequenceLength,
      seed: 0
    ).shares()
    #expect(shares.reduce(0, +) == tokens / sequenceLength * sequenceLength)
    let greatest = weights.max() ?? 1
    let sum = weights.reduce(0) { $0 + $1 / greatest }
    for (share, weight) in zip(shares, weights) {
      #expect(abs(Double(share) - weight / greatest / sum * Double(tokens)) <= 1)
    }
  }

  @Test(arguments: [
    ([], 10, 5), ([TextSource(patterns: [])], 10, 5), ([TextSource(patterns: ["x"], weight: 0)], 10, 5),
    ([TextSource(patterns: ["x"], weight: .nan)], 10, 5), ([TextSource(patterns: ["x"], weight: .infinity)], 10, 5),
    ([TextSource(patterns: ["x"])], 4, 5), ([TextSource(patterns: ["x"])], 10, 0),
    ([TextSource(patterns: ["x"])], .max, 1), ([TextSource(patterns: ["x"])], .min, -1),
  ])
  func requestsWithoutSenseAreErrors(sources: [TextSource], tokens: Int, sequenceLength: Int) {
    #expect(throws: CorpusError.self) {
      try Sampler(sources: sources, tokens: tokens, sequenceLength: sequenceLength, seed: 0)
    }
  }

  @Test(arguments: [
    ("a\r\nb\rc\n", "a\nb\rc\n"), ("\r\r\n", nil), (" \u{a0}\u{2003}\n", nil), ("", nil), ("\u{feff}", "\u{feff}"),
    ("é\r\n👩‍💻", "é\n👩‍💻"),
  ])
  func cleaning(text: String, expected: String?) {
    #expect(Cleaning.clean(text).map { Array($0.utf8) } == expected.map { Array($0.utf8) })
  }
}
