import SparseBundle
import Synchronization
import ThresholdSolver
import Transformer

/// A ``ThresholdTap`` that remembers what every token kept in one layer, at the places where a bundle can cut.
public final class RecordingTap: ActivationTap {
  private let thresholds: Thresholds.Layer
  private let tap: ThresholdTap
  private let records: Mutex<[[KeptChannels]]>  // [sequences][tokens]

  /// - Parameter lengths: Tokens of each sequence.
  /// - Precondition: a bundle can hold the thresholds.
  public init(_ thresholds: Thresholds.Layer, lengths: [Int]) {
    precondition(thresholds.key == nil && thresholds.value == nil && thresholds.otherInput == nil)
    self.thresholds = thresholds
    tap = ThresholdTap(thresholds)
    records = Mutex(lengths.map { [KeptChannels](repeating: KeptChannels(ffn: []), count: $0) })
  }

  public var masksQueryInput: Bool { tap.masksQueryInput }

  public func decidingRows(layer: Int) -> [Bool]? { tap.decidingRows(layer: layer) }

  public func decidingInput(_ x: Activations, _ context: TapContext) {
    record(x, thresholds.input, context) { $0.input = $1 }
    tap.decidingInput(x, context)
  }

  public func queryInput(_ x: Activations, _ context: TapContext) {
    record(x, thresholds.query, context) { $0.query = $1 }
    tap.queryInput(x, context)
  }

  public func outputInput(_ x: Activations, _ context: TapContext) {
    record(x, thresholds.output, context) { $0.output = $1 }
    tap.outputInput(x, context)
  }

  public func gateAndUp(_ gate: Activations, _ up: Activations, _ context: TapContext) {
    record(gate, thresholds.ffn, context) { $0.ffn = $1 }
    if let upDecides = thresholds.upDecides {
      record(up, thresholds.ffn, context) { kept, flags in
        for channel in flags.indices where upDecides[channel] { kept.ffn[channel] = flags[channel] }
      }
    }
    tap.gateAndUp(gate, up, context)
  }

  public func product(_ x: Activations, _ context: TapContext) {
    // A threshold of 0 keeps zeros, but not of channels that were dropped before.
    record(x, thresholds.product, context) { $0.down = zip($0.ffn, $1).map { $0 && $1 } }
    tap.product(x, context)
  }

  public func layerOutput(_ x: Activations, _ context: TapContext) { tap.layerOutput(x, context) }

  /// `[sequences][tokens]`
  public var kept: [[KeptChannels]] { records.withLock { $0 } }

  private func record(
    _ x: Activations, _ thresholds: [Float]?, _ context: TapContext, _ set: (inout KeptChannels, [Bool]) -> Void
  ) {
    guard let thresholds else { return }
    for token in 0..<x.tokens {
      let row = x.row(token)
      let flags = (0..<x.width).map { row[$0].magnitude >= thresholds[thresholds.count == 1 ? 0 : $0] }
      records.withLock { set(&$0[context.sequence][token], flags) }
    }
  }
}
