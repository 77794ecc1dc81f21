import Checkpoints
import TestSupport
import Testing
import Transformer

struct LogitsTests {
  /// Far below what a wrong term anywhere would do; PyTorch adds in another order.
  static let tolerance: Float = 2e-5

  @Test(arguments: TinyModel.allCases)
  func logitsAreThoseOfTransformers(_ model: TinyModel) throws {
    let oracle = try model.oracle()
    let computed = try logits(model.open().weights, oracle.sequences)
    for (computed, expected) in zip(computed, oracle.logits) {
      #expect(computed.count == expected.count)
      #expect(greatestDifference(computed, expected) < Self.tolerance)
      #expect(computed.tops == expected.tops)
    }
  }

  @Test(arguments: TinyModel.allCases, [1, 2, 3])
  func logitsDependNeitherOnBatchNorOnThreads(_ model: TinyModel, threads: Int) throws {
    let weights = try model.open().weights
    let ids = try model.oracle().sequences
    let batch = ids + [Array(ids[0].prefix(5))] + ids.reversed()
    let together = try logits(weights, batch, threads: threads)
    let alone = try batch.map { try logits(weights, [$0])[0] }
    #expect(together == alone)
  }

  /// The first tokens' logits don't know what follows.
  @Test(arguments: TinyModel.allCases)
  func attentionIsCausal(_ model: TinyModel) throws {
    let weights = try model.open().weights
    let ids = try model.oracle().sequences[0]
    let whole = try logits(weights, [ids])[0]
    let start = try logits(weights, [Array(ids.prefix(9))])[0]
    #expect(greatestDifference(start, Array(whole.prefix(start.count))) < Self.tolerance)
  }

  @Test(arguments: [0, 20_000])
  func logitsDoNotDependOnWhereHiddenStatesLive(memoryBudget: Int) throws {
    let weights = try TinyModel.llama.open().weights
    let ids = try TinyModel.llama.oracle().sequences
    let folder = TemporaryFolder()
    let spilled = try logits(
      weights, ids, threads: 2, memoryBudget: memoryBudget, scratchDirectory: folder.root)
    #expect(try spilled == logits(weights, ids))
  }

  @Test func tokenOutsideTheVocabularyIsAnError() throws {
    let weights = try TinyModel.llama.open().weights
    let pass = ForwardPass(weights.configuration, longest: 1, threads: 1)
    for token: Int32 in [-1, 320] {
      #expect(throws: CheckpointError.self) { try pass.embed([[token]], weights) }
    }
  }
}

private func greatestDifference(_ a: [Float], _ b: [Float]) -> Float {
  zip(a, b).reduce(0) { max($0, ($1.0 - $1.1).magnitude) }
}

extension [Float] {
  /// The most likely token after each position, for the tiny models' vocabulary.
  fileprivate var tops: [Int?] {
    split(into: count / 320).map { row in row.indices.max { row[$0] < row[$1] } }
  }
}
