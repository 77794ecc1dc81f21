import Checkpoints
import Foundation
import LinearAlgebra
import SparseBundle
import SparseKernels
import ThresholdSolver
import Transformer

/// One token on its way through the plain oracle: layer after layer, then the output head. No kernel, no shortcut.
///
///     var token = ReferenceToken(embedding, at: position, .dense, constants)
///     for index in layers.indices { token.run(layers[index], &past[index]) }
///     let logits = token.logits(head)
///
/// It holds no weights and knows nothing of other tokens but what each layer's past tells it, so that ``ReferenceDecoder``
/// can take one token after the other through all layers, and ``ReferenceWalk`` all tokens through one layer after the
/// other.
struct ReferenceToken: Sendable {
  /// What all tokens have in common.
  struct Constants: Sendable {
    let configuration: ModelConfiguration
    let rotary: RotaryTables
    /// What the projections that no input is skipped of are multiplied with, and the output head.
    let precision: ActivationPrecision

    /// - Parameter capacity: The most tokens of a text.
    init(_ configuration: ModelConfiguration, capacity: Int, precision: ActivationPrecision) {
      self.configuration = configuration
      rotary = RotaryTables(configuration, positions: capacity)
      self.precision = precision
    }
  }

  /// What a layer remembers of a text so far.
  struct Past: Sendable {
    fileprivate var keys: [Float] = []  // [positions, keyValueWidth]
    fileprivate var values: [Float] = []
  }

  let constants: Constants
  let position: Int
  let rule: KeepRule
  /// Decisions in which thresholds did not say what was recorded, in the order of layers.
  var disagreements: [Disagreement] = []
  /// What thresholds decided, at each place.
  var decided = DecisionCounts()
  private var x: [Float]  // [hiddenSize]

  init(_ embedding: [Float], at position: Int, _ rule: KeepRule, _ constants: Constants) {
    self.constants = constants
    self.position = position
    self.rule = rule
    x = embedding.map { constants.configuration.embeddingScale * $0 }
  }

  /// Takes the token through the next layer.
  ///
  /// - Parameter past: Of all tokens before this one in this layer.
  /// - Complexity: O(weights kept + `position` · queryWidth).
  mutating func run(_ layer: SparseModel.Layer, _ past: inout Past) {
    attention(layer, &past)
    feedForward(layer)
  }

  /// What follows the token, once it is through all layers: `[vocabularySize]`.
  mutating func logits(_ head: SparseModel.Head) -> [Float] { gradedLogits(rounded(norm(x, head.norm)), head) }

  private mutating func attention(_ layer: SparseModel.Layer, _ past: inout Past) {
    let c = constants.configuration
    let rotary = constants.rotary[layer.index]
    let input = norm(x, layer.attentionNorm)

    let projected =
      if let high = layer.high { gradedProjections(layer, high, input) } else { projections(layer, input) }
    var query = add(layer.queryBias, to: projected.query)
    var key = add(layer.keyBias, to: projected.key)
    let value = add(layer.valueBias, to: projected.value)
    turn(&query, heads: c.headCount, layer.queryNorm, rotary)
    turn(&key, heads: c.keyValueHeadCount, layer.keyNorm, rotary)
    past.keys += key
    past.values += value

    let mixed = heads(query, past, window: c.slidingWindow(ofLayer: layer.index))
    let output = if let high = layer.high { gradedOutput(layer, high, mixed) } else { output(layer, mixed) }
    x = add(layer.attentionPostNorm.map { norm(output, $0) } ?? output, to: x)
  }

  private mutating func projections(
    _ layer: SparseModel.Layer, _ input: [Float]
  ) -> (query: [Float], key: [Float], value: [Float]) {
    let kept = keep(input, layer.thresholds.query, layer) { $0.query }
    if layer.thresholds.query != nil { decided.query.count(kept, rule) }
    let rounded = rounded(input)
    return (inputs(layer.query, input, kept), outputs(layer.key, rounded), outputs(layer.value, rounded))
  }

  private mutating func output(_ layer: SparseModel.Layer, _ mixed: [Float]) -> [Float] {
    let kept = keep(mixed, layer.thresholds.output, layer) { $0.output }
    if layer.thresholds.output != nil { decided.output.count(kept, rule) }
    return inputs(layer.output, mixed, kept)
  }

  /// What each head reads from the positions so far, side by side: `[queryWidth]`.
  private func heads(_ query: [Float], _ past: Past, window: Int?) -> [Float] {
    let c = constants.configuration
    let width = c.headDimension
    let group = c.headCount / c.keyValueHeadCount
    let first = max(0, position + 1 - (window ?? .max))
    var mixed = [Float](repeating: 0, count: c.queryWidth)
    for head in 0..<c.headCount {
      let offset = head / group * width
      var scores: [Float] = []
      for other in first...position {
        var score: Float = 0
        for i in 0..<width { score += query[head * width + i] * past.keys[other * c.keyValueWidth + offset + i] }
        scores.append(score * c.attentionScale)
      }
      let top = scores.max() ?? 0
      let weights = scores.map { exp($0 - top) }
      let total = weights.reduce(0, +)
      for (i, other) in (first...position).enumerated() {
        let weight = weights[i] / total
        for j in 0..<width { mixed[head * width + j] += weight * past.values[other * c.keyValueWidth + offset + j] }
      }
    }
    return mixed
  }

  private mutating func feedForward(_ layer: SparseModel.Layer) {
    let normed = norm(x, layer.ffnNorm)
    let output = if let high = layer.high { gradedProducts(layer, high, normed) } else { products(layer, normed) }
    x = add(layer.ffnPostNorm.map { norm(output, $0) } ?? output, to: x)
    if let bias = layer.thresholds.bias, !rule.isDense { x = add(bias, to: x) }
  }

  /// What the channels of the FFN add up to.
  private mutating func products(_ layer: SparseModel.Layer, _ normed: [Float]) -> [Float] {
    let (thresholds, channels) = (layer.thresholds, 0..<layer.gate.rows)
    let input = rounded(normed)
    func gate(_ channel: Int, _ input: [Float]) -> Float { activation(dot(layer.gate, row: channel, input)) }
    func up(_ channel: Int, _ input: [Float]) -> Float { dot(layer.up, row: channel, input) }

    // Deciding rows may leave out inputs, and then read the others as they are.
    let keptInput = keep(normed, thresholds.input, layer) { $0.input }
    if thresholds.input != nil { decided.input.count(keptInput, rule) }
    let decidingInput = thresholds.input == nil ? input : zip(normed, keptInput).map { $1 ? $0 : 0 }

    // One factor decides whether the other one is needed at all.
    let upDecides = thresholds.upDecides ?? channels.map { _ in false }
    let deciding = channels.map { upDecides[$0] ? up($0, decidingInput) : gate($0, decidingInput) }
    let kept = keep(deciding, thresholds.ffn, layer) { $0.ffn }
    decided.ffn.count(kept, rule)
    let products = channels.map { kept[$0] ? deciding[$0] * (upDecides[$0] ? gate($0, input) : up($0, input)) : 0 }
    let keptDown = keep(products, thresholds.product, layer) { $0.down }
    if thresholds.product != nil { decided.down.count(zip(kept, keptDown).map { $0 && $1 }, rule) }

    return inputs(layer.down, products, zip(kept, keptDown).map { $0 && $1 })
  }

  /// The channels to keep of `x`, all where there are no thresholds.
  mutating func keep(
    _ x: [Float], _ thresholds: [Float]?, _ layer: SparseModel.Layer, _ place: (KeptChannels) -> [Bool]?
  ) -> [Bool] {
    guard let thresholds else { return x.map { _ in true } }
    let decided = x.indices.map { x[$0].magnitude >= thresholds[thresholds.count == 1 ? 0 : $0] }
    switch rule {
    case .dense: return x.map { _ in true }
    case .thresholds: return decided
    case .recorded(let layers, _):
      let recorded = place(layers[layer.index]) ?? decided
      for channel in x.indices where recorded[channel] != decided[channel] {
        disagreements.append(
          Disagreement(
            layer: layer.index, channel: channel, magnitude: x[channel].magnitude,
            threshold: thresholds[thresholds.count == 1 ? 0 : channel]))
      }
      return recorded
    }
  }
}
