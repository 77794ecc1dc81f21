import Foundation
import Testing

@testable import Corpus

struct TokenSequencesTests {
  let folder = TemporaryFolder()

  private func sample(_ tokens: [Int32] = Array(0..<12)) throws -> TokenSequences {
    var source = SampleProvenance.Source(TextSource(patterns: ["text/**/*.jsonl"], field: "content", weight: 0.1))
    source.files = [.init(path: "text/ä.jsonl", sha256: "00", documents: 3)]
    return try TokenSequences(
      tokens: tokens, sequenceLength: 4,
      provenance: SampleProvenance(
        seed: .max, requestedTokens: 13, endOfText: 0, tokenizer: "abc", sources: [source]))
  }

  @Test func sampleComesBackAndIsTheSameBytesTwice() throws {
    let urls = ["a.h5", "b.h5"].map { URL(fileURLWithPath: "\(folder.root)/\($0)") }
    for url in urls { try sample().write(to: url) }
    try sample().write(to: urls[0])
    #expect(try TokenSequences(contentsOf: urls[0]) == sample())
    #expect(try Data(contentsOf: urls[0]) == Data(contentsOf: urls[1]))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.root).sorted() == ["a.h5", "b.h5"])
  }

  @Test func sequencesAreRows() throws {
    let sample = try sample()
    #expect(sample.count == 3)
    #expect(sample[1] == [4, 5, 6, 7])
  }

  @Test func fileOfH5pyIsRead() throws {
    let sample = try TokenSequences(contentsOf: URL(fileURLWithPath: fixture("samples/good.h5")))
    #expect(sample.tokens == Array(0..<12) && sample.sequenceLength == 4)
    #expect(sample.provenance.tokenizer == "abc")
  }

  @Test(arguments: [
    "bad-format", "bad-no-format", "bad-version", "bad-hash", "bad-provenance", "bad-negative", "bad-empty", "bad-rank",
    "bad-type",
  ])
  func filesThatContradictThemselvesAreErrors(name: String) throws {
    #expect(throws: CorpusError.self) {
      try TokenSequences(contentsOf: URL(fileURLWithPath: fixture("samples/\(name).h5")))
    }
  }

  @Test(arguments: [[], [1], [1, 2, 3, -4]] as [[Int32]])
  func tokensThatAreNoSequencesAreErrors(tokens: [Int32]) {
    #expect(throws: CorpusError.self) { try sample(tokens) }
  }

  @Test func folderThatDoesNotExistIsAnError() {
    #expect(throws: CorpusError.self) { try sample().write(to: URL(fileURLWithPath: "/nowhere/a.h5")) }
  }
}
