import SparseBundle
import Synchronization
import ThresholdSolver
import Transformer

/// Zeroes what thresholds drop, one value at a time, and keeps the decisions.
public final class MaskingTap: ActivationTap {
  private struct Key: Hashable {
    let layer: Int
    let sequence: Int
  }

  private enum Place {
    case ffn, down, input, otherInput, query, key, value, output
    case fullFFN, fullQuery, fullKey, fullValue, fullOutput
  }

  private let thresholds: [Thresholds.Layer]
  private let decisions = Mutex<[Key: [Place: [[Bool]]]]>([:])

  public init(_ thresholds: [Thresholds.Layer]) { self.thresholds = thresholds }

  public var masksQueryInput: Bool { thresholds.contains { $0.query != nil } }
  public var masksKeyAndValueInputs: Bool { thresholds.contains { $0.key != nil } }
  public var masksOtherInput: Bool { thresholds.contains { $0.otherInput != nil } }

  /// What each token of a sequence keeps, layer by layer: `[tokens][layers]`.
  public func kept(sequence: Int, tokens: Int) -> [[KeptChannels]] {
    decisions.withLock { decisions in
      (0..<tokens).map { token in
        thresholds.indices.map { layer in
          let places = decisions[Key(layer: layer, sequence: sequence)] ?? [:]
          return KeptChannels(
            ffn: places[.ffn]?[token] ?? [], down: places[.down]?[token], input: places[.input]?[token],
            query: places[.query]?[token], key: places[.key]?[token], value: places[.value]?[token],
            output: places[.output]?[token],
            full: places[.fullFFN].map { ffn in
              GradedPlaces(
                ffn: ffn[token], query: places[.fullQuery]?[token], key: places[.fullKey]?[token],
                value: places[.fullValue]?[token], output: places[.fullOutput]?[token])
            })
        }
      }
    }
  }

  public func decidingRows(layer: Int) -> [Bool]? {
    let layer = thresholds[layer]
    return layer.input.map { _ in layer.upDecides ?? layer.ffn.map { _ in false } }
  }

  public func decidingInput(_ x: Activations, _ context: TapContext) {
    mask(x, thresholds[context.layer].input, .input, context)
  }

  public func otherInput(_ x: Activations, _ context: TapContext) {
    mask(x, thresholds[context.layer].otherInput, .otherInput, context)
  }

  public func queryInput(_ x: Activations, _ context: TapContext) {
    mask(x, thresholds[context.layer].query, .query, context)
  }

  public func keyInput(_ x: Activations, _ context: TapContext) {
    mask(x, thresholds[context.layer].key, .key, context)
  }

  public func valueInput(_ x: Activations, _ context: TapContext) {
    mask(x, thresholds[context.layer].value, .value, context)
  }

  public func outputInput(_ x: Activations, _ context: TapContext) {
    mask(x, thresholds[context.layer].output, .output, context)
  }

  public func gateAndUp(_ gate: Activations, _ up: Activations, _ context: TapContext) {
    let layer = thresholds[context.layer]
    guard layer.full == nil else { return }  // scores decide, by other factors
    guard let upDecides = layer.upDecides else { return mask(gate, layer.ffn, .ffn, context) }
    var kept = flags(gate, layer.ffn)
    for (token, byUp) in flags(up, layer.ffn).enumerated() {
      for channel in 0..<up.width where upDecides[channel] { kept[token][channel] = byUp[channel] }
    }
    zero(gate, kept)
    remember(kept, .ffn, context)
  }

  public func product(_ x: Activations, _ context: TapContext) {
    mask(x, thresholds[context.layer].product, .down, context)
  }

  public func layerOutput(_ x: Activations, _ context: TapContext) {
    guard let bias = thresholds[context.layer].bias else { return }
    for token in 0..<x.tokens { for channel in 0..<x.width { x[token, channel] += bias[channel] } }
  }

  public func planeOffsets(layer: Int) -> PlaneOffsets? { thresholds[layer].offsets }
  public var gradesProducts: Bool { thresholds.contains { $0.full != nil } }
  public var gradedInputs: Set<GradedInput> {
    thresholds.contains { $0.full?.query != nil } ? Set(GradedInput.allCases) : []
  }

  public func gradedInput(_ x: Activations, half: Activations, at place: GradedInput, _ context: TapContext) {
    let (layer, full) = (thresholds[context.layer], thresholds[context.layer].full)
    let values = self.values(x)
    switch place {
    case .query: grade(x, half, values, (layer.query, full?.query), (.query, .fullQuery), context)
    case .key: grade(x, half, values, (layer.key, full?.key), (.key, .fullKey), context)
    case .value: grade(x, half, values, (layer.value, full?.value), (.value, .fullValue), context)
    case .output: grade(x, half, values, (layer.output, full?.output), (.output, .fullOutput), context)
    }
  }

  public func gradedProduct(_ x: Activations, half: Activations, _ context: TapContext) -> Bool {
    let layer = thresholds[context.layer]
    grade(x, half, values(half), (layer.ffn, layer.full?.ffn), (.ffn, .fullFFN), context)
    return true
  }

  /// Leaves a value in `x` from the full threshold on, in `half` from the other one on, and elsewhere zeros.
  ///
  /// - Parameter compared: What decides, and what is left in `half`.
  private func grade(
    _ x: Activations, _ half: Activations, _ compared: [[Float]],
    _ thresholds: (half: [Float]?, full: [Float]?), _ places: (half: Place, full: Place), _ context: TapContext
  ) {
    guard let least = thresholds.half, let most = thresholds.full else { return }
    func reached(_ thresholds: [Float]) -> [[Bool]] { compared.map { zip($0, thresholds).map { $0.magnitude >= $1 } } }
    let (kept, full) = (reached(least), reached(most))
    for token in 0..<x.tokens {
      for channel in 0..<x.width {
        half[token, channel] = kept[token][channel] && !full[token][channel] ? compared[token][channel] : 0
      }
    }
    zero(x, full)
    remember(kept, places.half, context)
    remember(full, places.full, context)
  }

  private func values(_ x: Activations) -> [[Float]] {
    (0..<x.tokens).map { token in (0..<x.width).map { x[token, $0] } }
  }

  private func mask(_ x: Activations, _ thresholds: [Float]?, _ place: Place, _ context: TapContext) {
    guard let thresholds else { return }
    let kept = flags(x, thresholds)
    zero(x, kept)
    remember(kept, place, context)
  }

  private func flags(_ x: Activations, _ thresholds: [Float]) -> [[Bool]] {
    (0..<x.tokens).map { token in
      (0..<x.width).map { x[token, $0].magnitude >= thresholds[thresholds.count == 1 ? 0 : $0] }
    }
  }

  private func zero(_ x: Activations, _ kept: [[Bool]]) {
    for token in 0..<x.tokens { for channel in 0..<x.width where !kept[token][channel] { x[token, channel] = 0 } }
  }

  private func remember(_ kept: [[Bool]], _ place: Place, _ context: TapContext) {
    decisions.withLock { $0[Key(layer: context.layer, sequence: context.sequence), default: [:]][place] = kept }
  }
}
