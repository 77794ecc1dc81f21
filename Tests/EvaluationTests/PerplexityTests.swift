import Evaluation
import Foundation
import TestSupport
import Testing
import ThresholdSolver

struct PerplexityTests {
  @Test(arguments: TinyModel.allCases)
  func denseLossIsThatOfTheOraclesLogits(_ model: TinyModel) throws {
    let oracle = try model.oracle()
    let result = try PerplexityMeasurement(model.open().weights, threads: 2).run(oracle.sequences, []).dense
    let expected = zip(oracle.sequences, oracle.logits).flatMap { tokens, logits in
      zip(logits.logProbabilities(tokens.count), tokens.dropFirst()).map { -$0[Int($1)] }
    }
    #expect(result.tokens == expected.count)
    let mean = expected.reduce(0, +) / Double(expected.count)
    #expect((result.nll - mean).magnitude < 1e-5)
    #expect((result.perplexity / exp(mean) - 1).magnitude < 1e-5)
    #expect(result.kl == nil && result.shares.isEmpty)
  }

  @Test(arguments: TinyModel.allCases)
  func thresholdsOfZeroChangeNothing(_ model: TinyModel) throws {
    let (dense, sparse) = try measure(model) { _ in 0 }
    #expect(sparse.nll == dense.nll && sparse.kl == 0)
    #expect(sparse.shares.allSatisfy { $0 == Thresholds.Shares(ffn: 0, query: 0, output: 0) })
  }

  @Test func infiniteThresholdsDropEverything() throws {
    let (dense, sparse) = try measure(.llama) { _ in .infinity }
    #expect(sparse.nll != dense.nll)
    #expect(sparse.shares == [Thresholds.Shares](repeating: .init(ffn: 1, query: 1, output: 1), count: 3))
  }

  /// Beside a forward pass that masks one value at a time and a divergence in `Double`.
  @Test(arguments: TinyModel.allCases, [false, true])
  func sparseLossDivergenceAndSharesAreThoseOfAPlainMask(_ model: TinyModel, isExtended: Bool) throws {
    let checkpoint = try model.open()
    let oracle = try model.oracle()
    let thresholds = try checkpoint.someThresholds(isExtended: isExtended)
    let result = try PerplexityMeasurement(checkpoint.weights, threads: 2).run(oracle.sequences, [thresholds]).sparse[0]

    let tap = MaskingTap(thresholds.layers)
    let masked = try logits(checkpoint.weights, oracle.sequences, tap: { _ in tap })
    var (kl, nll, count) = (0.0, 0.0, 0)
    for (i, tokens) in oracle.sequences.enumerated() {
      let dense = oracle.logits[i].logProbabilities(tokens.count)
      let sparse = masked[i].logProbabilities(tokens.count)
      for position in 0..<tokens.count - 1 {
        kl += zip(dense[position], sparse[position]).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
        nll -= sparse[position][Int(tokens[position + 1])]
        count += 1
      }
    }
    #expect((result.nll - nll / Double(count)).magnitude < 1e-5)
    #expect((try #require(result.kl) - kl / Double(count)).magnitude < 1e-5)

    let kept = oracle.sequences.enumerated().flatMap { tap.kept(sequence: $0, tokens: $1.count) }
    for (layer, shares) in result.shares.enumerated() {
      func dropped(_ flags: [Bool]) -> Double { Double(flags.count { !$0 }) / Double(flags.count) }
      #expect(shares.ffn == dropped(kept.flatMap { $0[layer].ffn }))
      #expect(shares.query == dropped(kept.flatMap { $0[layer].query ?? [] }))
      #expect(shares.output == dropped(kept.flatMap { $0[layer].output ?? [] }))
    }
  }

  @Test func figuresDependNeitherOnThreadsNorOnOtherThresholds() throws {
    let checkpoint = try TinyModel.llama.open()
    let windows = try calibrationSequences()
    let (some, ffn) = (try checkpoint.someThresholds(), try checkpoint.someThresholds(attention: false))
    let together = try PerplexityMeasurement(checkpoint.weights, threads: 3).run(windows, [some, ffn])
    for (thresholds, expected) in zip([some, ffn], together.sparse) {
      let alone = try PerplexityMeasurement(checkpoint.weights, threads: 1).run(windows, [thresholds])
      #expect(alone.sparse == [expected] && alone.dense == together.dense)
    }
    #expect(together.sparse[1].shares.allSatisfy { $0.query == nil && $0.output == nil })
  }

  @Test func windowsWithoutASuccessorPredictNothing() throws {
    let weights = try TinyModel.llama.open().weights
    let measurement = PerplexityMeasurement(weights, threads: 1)
    let both = try measurement.run([[], [1], [1, 2, 3]], []).dense
    #expect(try both == measurement.run([[1, 2, 3]], []).dense && both.tokens == 2)
    #expect(try measurement.run([[1]], []).dense.tokens == 0)
  }

  private func measure(_ model: TinyModel, _ threshold: (Float) -> Float) throws -> (
    dense: Perplexity, sparse: Perplexity
  ) {
    let checkpoint = try model.open()
    var thresholds = try checkpoint.someThresholds()
    thresholds.layers = thresholds.layers.map { layer in
      .init(
        ffn: layer.ffn.map(threshold), query: layer.query?.map(threshold), output: layer.output?.map(threshold))
    }
    let result = try PerplexityMeasurement(checkpoint.weights, threads: 1).run(model.oracle().sequences, [thresholds])
    return (result.dense, result.sparse[0])
  }
}

extension [Float] {
  /// Log-softmax of each of `rows` rows of logits, in `Double`.
  fileprivate func logProbabilities(_ rows: Int) -> [[Double]] {
    split(into: rows).map { row in
      let top = Double(row.max() ?? 0)
      let sum = top + log(row.reduce(0) { $0 + exp(Double($1) - top) })
      return row.map { Double($0) - sum }
    }
  }
}
