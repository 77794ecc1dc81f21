import Checkpoints
import TestSupport
import Testing

@testable import Transformer

struct BranchTests {
  /// Each branch computes what it computes as a text of its own; more of them than attention takes at once.
  @Test(arguments: TinyModel.allCases, [nil, 3])
  func branchesAreTextsOfTheirOwn(_ model: TinyModel, slidingWindow: Int?) throws {
    let weights = try model.open().weights
    var configuration = weights.configuration
    configuration.slidingWindow = slidingWindow
    let tokens = try model.oracle().sequences[0].map { $0 }
    let (prefix, branches) = (
      Array(tokens[0..<7]), [Array(tokens[7..<12]), [], Array(tokens[10..<11]), Array(tokens[12...])]
    )
    let texts = branches.map { prefix + $0 }
    let layout = SequenceLayout(prefix: prefix.count, branches: branches.map(\.count))

    let apart = try hidden(weights, configuration, texts, [])
    let together = try hidden(weights, configuration, [prefix + branches.joined()], [layout])[0]
    for (index, branch) in layout.branches.enumerated() {
      let rows = Array(0..<prefix.count) + Array(branch)
      #expect(rows.count == apart[index].count)
      for (row, expected) in zip(rows, apart[index]) {
        for (value, expected) in zip(together[row], expected) { #expect((value - expected).magnitude < 2e-5) }
      }
    }
  }

  @Test func branchesMayBeginATextOrBeLong() throws {
    let weights = try TinyModel.llama.open().weights
    let long = (0..<Attention.queryBlock + 5).map { Int32($0 % 300) }
    let texts = [long, [7, 8, 9]]
    let layout = SequenceLayout(prefix: 0, branches: texts.map(\.count))
    let apart = try hidden(weights, weights.configuration, texts, [])
    let together = try hidden(weights, weights.configuration, [Array(texts.joined())], [layout])[0]
    for (row, expected) in zip(together, apart.joined()) {
      for (value, expected) in zip(row, expected) { #expect((value - expected).magnitude < 2e-5) }
    }
  }

  @Test func positionsGoOnFromThePrefix() {
    let layout = SequenceLayout(prefix: 2, branches: [3, 0, 2])
    #expect(layout.count == 7 && layout.branches == [2..<5, 5..<5, 5..<7])
    #expect((0..<7).map(layout.position(of:)) == [0, 1, 2, 3, 4, 2, 3])
    #expect(SequenceLayout(prefix: 4).count == 4)
  }

  /// The last hidden states, `[sequences][tokens][hiddenSize]`.
  private func hidden(
    _ weights: any WeightSource, _ configuration: ModelConfiguration, _ sequences: [[Int32]],
    _ layouts: [SequenceLayout]
  ) throws -> [[[Float]]] {
    let pass = ForwardPass(configuration, longest: sequences.map(\.count).max() ?? 0, threads: 2)
    let states = try pass.embed(sequences, weights)
    for index in 0..<configuration.layerCount {
      try pass.run(weights.layer(index), index: index, states, layouts: layouts, tap: DenseTap())
    }
    return try sequences.indices.map { try states.sequence($0).values.split(into: sequences[$0].count) }
  }
}
