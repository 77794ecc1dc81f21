import Evaluation
import SparseBundle
import TestSupport
import Testing
import ThresholdSolver

struct ThresholdTapTests {
  /// Beside a tap that masks one value at a time.
  @Test(arguments: TinyModel.allCases, [false, true])
  func recordedDecisionsAreThoseOfAPlainMask(_ model: TinyModel, isExtended: Bool) throws {
    let checkpoint = try model.open()
    let sequences = try model.oracle().sequences
    let thresholds = try checkpoint.someThresholds(isExtended: isExtended).layers
    let plain = MaskingTap(thresholds)
    let expected = try logits(checkpoint.weights, sequences, tap: { _ in plain })
    let taps = thresholds.map { Evaluation.RecordingTap($0, lengths: sequences.map(\.count)) }
    #expect(try logits(checkpoint.weights, sequences, threads: 2, tap: { taps[$0] }) == expected)
    for (index, tokens) in sequences.enumerated() {
      let kept = tokens.indices.map { token in taps.map { $0.kept[index][token] } }
      #expect(kept == plain.kept(sequence: index, tokens: tokens.count))
    }
  }

  @Test func secondCutKeepsNothingThatTheFirstDropped() throws {
    let checkpoint = try TinyModel.llama.open()
    var layer = try checkpoint.someThresholds().layers[0]
    layer.product = [0]
    let taps = (0..<3).map { _ in Evaluation.RecordingTap(layer, lengths: [3]) }
    _ = try logits(checkpoint.weights, [[1, 2, 3]], tap: { taps[$0] })
    for kept in taps[1].kept[0] { #expect(kept.down == kept.ffn) }
  }
}
