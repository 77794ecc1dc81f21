import Checkpoints
import Evaluation
import SparseBundle
import ThresholdSolver
import Tokenizers
import Transformer

/// Computes a bundle's golden vectors by the forward pass: an implementation that shares nothing but
/// the table of rotary angles with the reference decoder that will replay them.
struct GoldenRecording {
  /// Prose, and what tokenizers find hard.
  private static let prompts = [
    "The river had frozen over in the night, and by morning the whole village had come down to the bank to look.",
    "def area(r): return 3.14159 * r**2  # π, für Kreise — 円の面積 🙂\n\n\"Well?\" she asked; nobody answered.",
  ]
  private static let tokensPerPrompt = 24
  private static let positionsPerPrompt = 4

  /// Of all texts.
  static var tokens: Int { prompts.count * tokensPerPrompt }
  /// Positions at which logits are recorded.
  static var positions: Int { prompts.count * positionsPerPrompt }

  let model: Checkpoint
  let ladder: ThresholdLadder
  let type: WeightType
  let threads: Int

  /// One for each budget, the default first; of others with logits after the last positions only, since logits are
  /// most of the file.
  ///
  /// - Complexity: two forward passes over 48 tokens and one for each budget, with one layer in memory.
  func record(progress: @Sendable (_ share: Double) -> Void) throws -> [GoldenVectors] {
    let tokenizer = try Tokenizer(model.tokenizer)
    let prompts = Self.prompts.map { Array(tokenizer.encode($0).prefix(Self.tokensPerPrompt)) }
    let pass = ForwardPass(
      model.configuration, longest: Self.tokensPerPrompt, threads: threads, hasHighPlanes: type.isInPlanes)
    let rounded = RoundedWeights(model.weights, type, ladder.factorRows)
    let source = try pass.embed(prompts, model.weights)
    let dense = try pass.embed(prompts, rounded)
    let sparse = try ladder.all.map { _ in try pass.embed(prompts, rounded) }
    // [budgets][texts][tokens][layers]
    var kept = ladder.all.map { _ in prompts.map { $0.map { _ in [KeptChannels]() } } }

    for index in 0..<model.configuration.layerCount {
      if type != .f32 { try pass.run(model.weights.layer(index), index: index, source, tap: DenseTap()) }
      let (layer, high) = (try rounded.layer(index), try rounded.highPlanes?.layer(index))
      try pass.run(layer, index: index, dense, tap: DenseTap())
      for (budget, thresholds) in ladder.all.enumerated() {
        let tap = RecordingTap(thresholds.layers[index], lengths: prompts.map(\.count))
        try pass.run(layer, high: high, index: index, sparse[budget], tap: tap)
        for (text, tokens) in tap.kept.enumerated() {
          for (token, channels) in tokens.enumerated() { kept[budget][text][token].append(channels) }
        }
      }
      progress(Double(index + 1) / Double(model.configuration.layerCount))
    }

    let head = try pass.outputHead(rounded, hasHighPlane: ladder.all.contains { $0.headMargin != nil })
    let sourceHead = try pass.outputHead(model.weights)
    return try ladder.all.indices.map { budget in
      GoldenVectors(
        texts: try prompts.indices.map { text in
          let positions = positions(prompts[text].count).suffix(budget == 0 ? Self.positionsPerPrompt : 1)
          func logits(_ head: OutputHead, _ states: HiddenStates) throws -> [Float] {
            let hidden = try states.sequence(text)
            return positions.flatMap { head.logits(hidden, rows: $0..<$0 + 1).values }
          }
          let denseLogits = try logits(head, dense)
          let graded = head.onDemand(
            margin: ladder.all[budget].headMargin, offsets: ladder.all[budget].headOffsets
          )
          .gradedLogits(try sparse[budget].sequence(text), rows: 0..<prompts[text].count)
          return .init(
            tokens: prompts[text], positions: Array(positions),
            source: type == .f32 ? denseLogits : try logits(sourceHead, source), dense: denseLogits,
            sparse: positions.flatMap { position in (0..<head.vocabularySize).map { graded.logits[position, $0] } },
            kept: kept[budget][text], keptHead: graded.readWhole)
        })
    }
  }

  /// Evenly spaced, the last token among them.
  private func positions(_ tokens: Int) -> [Int] {
    let count = min(Self.positionsPerPrompt, tokens)
    return (1...max(count, 1)).map { $0 * tokens / max(count, 1) - 1 }
  }
}
