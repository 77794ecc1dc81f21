import Checkpoints
import Foundation
import LinearAlgebra
import SparseBundle
import SparseKernels
import Transformer

/// Decodes one token after the other with a key-value cache and explicit masks: the plain oracle
/// that every faster way is compared with. One thread, no kernel, no shortcut.
///
///     var decoder = ReferenceDecoder(model, capacity: 256)
///     for token in prompt { logits = decoder.step(token, .dense) }
public struct ReferenceDecoder: TokenDecoder {
  /// Tokens decoded so far.
  public private(set) var position = 0
  /// Decisions so far in which thresholds did not say what was recorded.
  public internal(set) var disagreements: [Disagreement] = []
  /// What thresholds decided so far, at each place.
  public internal(set) var decided = DecisionCounts()

  let model: SparseModel
  private let rotary: RotaryTables
  private let capacity: Int
  let precision: ActivationPrecision
  private var logits: [Float] = []  // of the last step
  private var keys: [[Float]]  // a layer each: [positions, keyValueWidth]
  private var values: [[Float]]

  /// - Parameter capacity: The most tokens that will be decoded.
  public init(_ model: SparseModel, capacity: Int) { self.init(model, capacity: capacity, precision: .exact) }

  /// - Parameter precision: What the projections that no input is skipped of are multiplied with, and the output head.
  package init(_ model: SparseModel, capacity: Int, precision: ActivationPrecision) {
    self.model = model
    self.capacity = capacity
    self.precision = precision
    rotary = RotaryTables(model.configuration, positions: capacity)
    keys = model.layers.map { _ in [] }
    values = keys
  }

  /// Takes one more token and returns the logits of the next, `[vocabularySize]`.
  ///
  /// - Precondition: `token` is in the vocabulary and `position < capacity`.
  /// - Complexity: O(weights kept + `position` · queryWidth).
  public mutating func step(_ token: Int32, _ rule: KeepRule) -> [Float] {
    precondition(position < capacity && token >= 0 && Int(token) < model.embedding.rows)
    var x = elements(model.embedding, row: Int(token)).map { model.configuration.embeddingScale * $0 }
    for index in model.layers.indices {
      attention(index, rule, &x)
      feedForward(index, rule, &x)
    }
    position += 1
    return gradedLogits(rounded(norm(x, model.finalNorm)), rule)
  }

  public mutating func step(_ token: Int32, sparse: Bool) { logits = step(token, sparse ? .thresholds : .dense) }

  public mutating func read(_ tokens: ArraySlice<Int32>, sparse: Bool) {
    for token in tokens { step(token, sparse: sparse) }
  }

  public func withLogits<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
    try logits.withUnsafeBufferPointer(body)
  }

  private mutating func attention(_ index: Int, _ rule: KeepRule, _ x: inout [Float]) {
    let c = model.configuration
    let layer = model.layers[index]
    let input = norm(x, layer.attentionNorm)

    let projected = layer.high == nil ? projections(index, input, rule) : gradedProjections(index, input, rule)
    var query = add(layer.queryBias, to: projected.query)
    var key = add(layer.keyBias, to: projected.key)
    let value = add(layer.valueBias, to: projected.value)
    turn(&query, heads: c.headCount, layer.queryNorm, rotary[index])
    turn(&key, heads: c.keyValueHeadCount, layer.keyNorm, rotary[index])
    keys[index] += key
    values[index] += value

    let mixed = heads(query, keys[index], values[index], window: c.slidingWindow(ofLayer: index))
    let output = layer.high == nil ? self.output(index, mixed, rule) : gradedOutput(index, mixed, rule)
    x = add(layer.attentionPostNorm.map { norm(output, $0) } ?? output, to: x)
  }

  private mutating func projections(
    _ index: Int, _ input: [Float], _ rule: KeepRule
  ) -> (query: [Float], key: [Float], value: [Float]) {
    let layer = model.layers[index]
    let kept = keep(input, layer.thresholds.query, index, rule) { $0.query }
    if layer.thresholds.query != nil { decided.query.count(kept, rule) }
    let rounded = rounded(input)
    return (inputs(layer.query, input, kept), outputs(layer.key, rounded), outputs(layer.value, rounded))
  }

  private mutating func output(_ index: Int, _ mixed: [Float], _ rule: KeepRule) -> [Float] {
    let layer = model.layers[index]
    let kept = keep(mixed, layer.thresholds.output, index, rule) { $0.output }
    if layer.thresholds.output != nil { decided.output.count(kept, rule) }
    return inputs(layer.output, mixed, kept)
  }

  /// What each head reads from the positions so far, side by side: `[queryWidth]`.
  private func heads(_ query: [Float], _ keys: [Float], _ values: [Float], window: Int?) -> [Float] {
    let c = model.configuration
    let width = c.headDimension
    let group = c.headCount / c.keyValueHeadCount
    let first = max(0, position + 1 - (window ?? .max))
    var mixed = [Float](repeating: 0, count: c.queryWidth)
    for head in 0..<c.headCount {
      let offset = head / group * width
      var scores: [Float] = []
      for past in first...position {
        var score: Float = 0
        for i in 0..<width { score += query[head * width + i] * keys[past * c.keyValueWidth + offset + i] }
        scores.append(score * c.attentionScale)
      }
      let top = scores.max() ?? 0
      let weights = scores.map { exp($0 - top) }
      let total = weights.reduce(0, +)
      for (i, past) in (first...position).enumerated() {
        let weight = weights[i] / total
        for j in 0..<width { mixed[head * width + j] += weight * values[past * c.keyValueWidth + offset + j] }
      }
    }
    return mixed
  }

  private mutating func feedForward(_ index: Int, _ rule: KeepRule, _ x: inout [Float]) {
    let layer = model.layers[index]
    let normed = norm(x, layer.ffnNorm)
    let output = layer.high == nil ? products(index, normed, rule) : gradedProducts(index, normed, rule)
    x = add(layer.ffnPostNorm.map { norm(output, $0) } ?? output, to: x)
    if let bias = layer.thresholds.bias, !rule.isDense { x = add(bias, to: x) }
  }

  /// What the channels of the FFN add up to.
  private mutating func products(_ index: Int, _ normed: [Float], _ rule: KeepRule) -> [Float] {
    let layer = model.layers[index]
    let (thresholds, channels) = (layer.thresholds, 0..<layer.gate.rows)
    let input = rounded(normed)
    func gate(_ channel: Int, _ input: [Float]) -> Float { activation(dot(layer.gate, row: channel, input)) }
    func up(_ channel: Int, _ input: [Float]) -> Float { dot(layer.up, row: channel, input) }

    // Deciding rows may leave out inputs, and then read the others as they are.
    let keptInput = keep(normed, thresholds.input, index, rule) { $0.input }
    if thresholds.input != nil { decided.input.count(keptInput, rule) }
    let decidingInput = thresholds.input == nil ? input : zip(normed, keptInput).map { $1 ? $0 : 0 }

    // One factor decides whether the other one is needed at all.
    let upDecides = thresholds.upDecides ?? channels.map { _ in false }
    let deciding = channels.map { upDecides[$0] ? up($0, decidingInput) : gate($0, decidingInput) }
    let kept = keep(deciding, thresholds.ffn, index, rule) { $0.ffn }
    decided.ffn.count(kept, rule)
    let products = channels.map { kept[$0] ? deciding[$0] * (upDecides[$0] ? gate($0, input) : up($0, input)) : 0 }
    let keptDown = keep(products, thresholds.product, index, rule) { $0.down }
    if thresholds.product != nil { decided.down.count(zip(kept, keptDown).map { $0 && $1 }, rule) }

    return inputs(layer.down, products, zip(kept, keptDown).map { $0 && $1 })
  }

  /// The channels to keep of `x`, all where there are no thresholds.
  mutating func keep(
    _ x: [Float], _ thresholds: [Float]?, _ layer: Int, _ rule: KeepRule, _ place: (KeptChannels) -> [Bool]?
  ) -> [Bool] {
    guard let thresholds else { return x.map { _ in true } }
    let decided = x.indices.map { x[$0].magnitude >= thresholds[thresholds.count == 1 ? 0 : $0] }
    switch rule {
    case .dense: return x.map { _ in true }
    case .thresholds: return decided
    case .recorded(let layers, _):
      let recorded = place(layers[layer]) ?? decided
      for channel in x.indices where recorded[channel] != decided[channel] {
        disagreements.append(
          Disagreement(
            layer: layer, channel: channel, magnitude: x[channel].magnitude,
            threshold: thresholds[thresholds.count == 1 ? 0 : channel]))
      }
      return recorded
    }
  }
}
