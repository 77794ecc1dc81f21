import Synchronization
import Transformer

/// Keeps what passes by: `[tokens, channels]` of each place, layer and sequence.
public final class RecordingTap: ActivationTap {
  /// Raw values are the names in `activations.safetensors`.
  public enum Place: String, CaseIterable, Sendable {
    case attentionInput = "attention.input"
    case outputInput = "attention.output_input"
    case ffnInput = "ffn.input"
    case gate = "ffn.gate"
    case up = "ffn.up"
    case product = "ffn.product"
    case layerOutput = "output"
  }

  private struct Key: Hashable {
    let place: Place
    let layer: Int
    let sequence: Int
  }

  private let seen = Mutex<[Key: [Float]]>([:])

  public init() {}

  /// Empty where nothing passed.
  public func values(_ place: Place, layer: Int, sequence: Int) -> [Float] {
    seen.withLock { $0[Key(place: place, layer: layer, sequence: sequence)] ?? [] }
  }

  public func attentionInput(_ x: Activations, _ context: TapContext) { keep(x, .attentionInput, context) }
  public func outputInput(_ x: Activations, _ context: TapContext) { keep(x, .outputInput, context) }
  public func ffnInput(_ x: Activations, _ context: TapContext) { keep(x, .ffnInput, context) }
  public func product(_ x: Activations, _ context: TapContext) { keep(x, .product, context) }
  public func layerOutput(_ x: Activations, _ context: TapContext) { keep(x, .layerOutput, context) }

  public func gateAndUp(_ gate: Activations, _ up: Activations, _ context: TapContext) {
    keep(gate, .gate, context)
    keep(up, .up, context)
  }

  private func keep(_ x: Activations, _ place: Place, _ context: TapContext) {
    let values = (0..<x.tokens).flatMap { token in (0..<x.width).map { x[token, $0] } }
    seen.withLock { $0[Key(place: place, layer: context.layer, sequence: context.sequence)] = values }
  }
}
