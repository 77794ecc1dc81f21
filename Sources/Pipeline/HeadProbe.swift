import Checkpoints
import Evaluation
import Reports
import SparseBundle
import ThresholdSolver

/// Finds how few rows of an output head in planes are worth their low planes, by a forward pass over a little text.
struct HeadProbe {
  /// What a choice of rows may lose by itself: a small part of what cutting layers does at any useful budget.
  static let greatestKL = 0.003
  /// At how many positions the most likely token may be left to its high plane, which might make another one likelier.
  static let greatestMissed = 1e-4

  static let tokens = 4096

  let model: Checkpoint
  /// Token sequences to take some of; a text that is part of the program where it is `nil`.
  let sample: String?
  let threads: Int
  /// How the head's weights lie.
  let planes: PlaneFormat

  struct Result {
    /// The least margin within both limits, and what it reads and loses.
    var point: HeadCurve.Point
    /// Added to the logits of high planes, one a row.
    var offsets: [Float]
    /// What both were measured on.
    var text: ProbedText
  }

  /// `nil` where the head has to be read whole.
  ///
  /// - Throws: ``PipelineError`` where the sample is not of this model.
  /// - Complexity: a forward pass over some 4096 tokens.
  func run(_ console: Console) throws -> Result? {
    let text = try ProbeText(model: model, sample: sample).windows(tokens: Self.tokens)
    let tokens = Double(text.probed.tokens)
    let (curve, offsets) = try console.task("probe the output head", total: tokens, unit: "tokens") { task in
      try HeadMeasurement(PlaneWeights(model.weights, planes), threads: threads)
        .run(text.windows) { task.advance(to: $0 * tokens) }
    }
    let found = curve.leastMargin(kl: Self.greatestKL, missed: Self.greatestMissed)
    console.note(
      found.map { point in
        let rows = Format.fixed(point.share * Double(model.configuration.vocabularySize), 0)
        return
          "solve: output head: \(rows) rows (\(Format.percent(point.share))) within \(point.margin) of the greatest "
          + "logit read whole, KL \(Format.scientific(point.kl))"
      } ?? "solve: output head: every margin loses too much, so that all rows are read whole")
    return found.map { Result(point: $0, offsets: offsets, text: text.probed) }
  }
}
