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

  private enum Place { case ffn, down, input, otherInput, query, key, value, output }

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
            query: places[.query]?[token],
            output: places[.output]?[token])
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
