import Evaluation
import Foundation
import SparseBundle
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
    #expect(result.kl == nil && result.top1Agreement == nil && result.shares.isEmpty)
  }

  @Test(arguments: TinyModel.allCases)
  func thresholdsOfZeroChangeNothing(_ model: TinyModel) throws {
    let (dense, sparse) = try measure(model) { _ in 0 }
    #expect(sparse.nll == dense.nll && sparse.kl == 0 && sparse.top1Agreement == 1)
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
    var (kl, nll, count, agreements) = (0.0, 0.0, 0, 0)
    for (i, tokens) in oracle.sequences.enumerated() {
      let dense = oracle.logits[i].logProbabilities(tokens.count)
      let sparse = masked[i].logProbabilities(tokens.count)
      for position in 0..<tokens.count - 1 {
        kl += zip(dense[position], sparse[position]).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
        nll -= sparse[position][Int(tokens[position + 1])]
        count += 1
        agreements +=
          dense[position].firstIndex(of: dense[position].max() ?? 0)
            == sparse[position].firstIndex(of: sparse[position].max() ?? 0) ? 1 : 0
      }
    }
    #expect(result.top1Agreement == Double(agreements) / Double(count) && agreements < count)
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

  /// Which thresholds: on channels, these with all that bundles can hold, or on the inputs of all projections.
  enum Cut: CaseIterable { case channels, extended, inputs }

  /// A prompt's rows are put back as they were, by a tap of the test's own.
  @Test(arguments: TinyModel.allCases, Cut.allCases)
  func promptsRunDenseAndDoNotCount(_ model: TinyModel, cut: Cut) throws {
    let checkpoint = try model.open()
    let oracle = try model.oracle()
    let thresholds =
      try cut == .inputs
      ? checkpoint.someInputThresholds() : checkpoint.someThresholds(isExtended: cut == .extended)
    let (_, others) = try PerplexityMeasurement(checkpoint.weights, threads: 2, positions: .decode)
      .run(TokenWindows(oracle.sequences), [MeasuredWeights(checkpoint.weights, [thresholds, nil])])

    let length = oracle.sequences[0].count
    let tap = PromptRestoringTap(MaskingTap(thresholds.layers), prompt: length / 2 - 1)
    let masked = try logits(checkpoint.weights, oracle.sequences, tap: { _ in tap })
    var (nll, denseNLL) = (0.0, 0.0)
    for (i, tokens) in oracle.sequences.enumerated() {
      let (sparse, dense) = (masked[i].logProbabilities(length), oracle.logits[i].logProbabilities(length))
      for position in length / 2 - 1..<length - 1 {
        nll -= sparse[position][Int(tokens[position + 1])]
        denseNLL -= dense[position][Int(tokens[position + 1])]
      }
    }
    let count = oracle.sequences.count * (length - length / 2)
    #expect(others[0].map(\.tokens) == [count, count])
    #expect((others[0][0].nll - nll / Double(count)).magnitude < 1e-5)
    #expect((others[0][1].nll - denseNLL / Double(count)).magnitude < 1e-5)
    #expect(others[0][1].kl == 0 && others[0][1].shares.isEmpty)
  }

  /// Rounded weights beside the model's own, in the same walk as thresholds on either.
  @Test func modelsAreMeasuredBesideTheDenseOne() throws {
    let weights = try TinyModel.qwen3.open().weights
    let text = TokenWindows(try TinyModel.qwen3.oracle().sequences)
    let thresholds = try TinyModel.qwen3.open().someThresholds()
    let rounded = RoundedWeights(weights, .q4)
    let loss = try RoundingLossMeasurement(weights, .q4, threads: 2).run(text.windows, text: "t")
    let (dense, others) = try PerplexityMeasurement(weights, threads: 2)
      .run(text, [MeasuredWeights(weights, [thresholds]), MeasuredWeights(rounded, [nil, thresholds])])
    let alone = try PerplexityMeasurement(weights, threads: 1).run(text.windows, [thresholds])
    #expect(dense == alone.dense && others[0] == alone.sparse)
    #expect((try #require(others[1][0].kl) - loss.kl).magnitude < 1e-12)
    #expect(try #require(others[1][1].kl) > loss.kl)
    let increase = others[0][0].difference(from: dense, \.nll)
    #expect((increase.mean - (others[0][0].nll - dense.nll)).magnitude < 1e-12)
    #expect(try #require(increase.standardError) > 0)
  }

  /// A window's tokens count for the documents that they are in.
  @Test func lossesAreSummedByDocument() throws {
    let weights = try TinyModel.llama.open().weights
    var text = TokenWindows(length: 4)
    text.append([5, 6], endOfText: 0)
    text.append([7], endOfText: 0)
    text.append([8, 9, 10, 11], endOfText: 0)
    #expect(text.windows == [[5, 6, 0, 7], [0, 8, 9, 10]])
    #expect(text.documents == [[0, 0, 0, 1], [1, 2, 2, 2]])
    let dense = try PerplexityMeasurement(weights, threads: 1).run(text, []).dense
    #expect(dense.isClusteredByDocument && dense.clusters.map(\.tokens) == [2, 1, 3])
    let windows = try PerplexityMeasurement(weights, threads: 1).run(TokenWindows(text.windows), []).dense
    #expect((windows.nll - dense.nll).magnitude < 1e-12 && windows.clusters.map(\.tokens) == [3, 3])
    #expect((windows.clusters[0].nll - dense.clusters[0].nll - dense.clusters[1].nll).magnitude < 1e-12)
  }

  @Test func textOfOneDocumentIsClusteredByWindow() throws {
    var text = TokenWindows(length: 4, maximumTokens: 11)
    text.append(Array(1...12), endOfText: 0)
    let dense = try PerplexityMeasurement(TinyModel.llama.open().weights, threads: 1).run(text, []).dense
    #expect(!dense.isClusteredByDocument && dense.clusters.map(\.tokens) == [3, 3])
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
