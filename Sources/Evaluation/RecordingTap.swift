import SparseBundle
import Synchronization
import ThresholdSolver
import Transformer

/// A ``ThresholdTap`` that remembers what every token kept in one layer.
public final class RecordingTap: ActivationTap {
  private let thresholds: Thresholds.Layer
  private let tap: ThresholdTap
  private let records: Mutex<[[KeptChannels]]>  // [sequences][tokens]

  /// - Parameter lengths: Tokens of each sequence.
  public init(_ thresholds: Thresholds.Layer, lengths: [Int]) {
    self.thresholds = thresholds
    tap = ThresholdTap(thresholds)
    records = Mutex(lengths.map { [KeptChannels](repeating: KeptChannels(ffn: []), count: $0) })
  }

  public var masksQueryInput: Bool { tap.masksQueryInput }

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
    tap.gateAndUp(gate, up, context)
  }

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
