import SparseBundle
import Synchronization
import Transformer

/// Rounds what integer products read, as ``ActivationRounding`` does: the inputs of key, value, gate and up
/// projections. Those of query, output and down are multiplied as they are.
final class ActivationRoundingTap: ActivationTap {
  /// The attention input as it was, for the query projection: by worker, `[tokens · hiddenSize]`.
  private let exact = Mutex<[Int: [Float]]>([:])

  var masksQueryInput: Bool { true }

  func attentionInput(_ x: Activations, _ context: TapContext) {
    let values = Array(UnsafeBufferPointer(start: x.row(0), count: x.tokens * x.width))
    exact.withLock { $0[context.worker] = values }
    round(x)
  }

  func queryInput(_ x: Activations, _ context: TapContext) {
    guard let values = exact.withLock({ $0.removeValue(forKey: context.worker) }) else { return }
    x.row(0).update(from: values, count: x.tokens * x.width)
  }

  func ffnInput(_ x: Activations, _ context: TapContext) { round(x) }

  /// Token by token: groups do not reach from one to the next.
  func round(_ x: Activations) {
    for token in 0..<x.tokens { ActivationRounding.round(x.row(token), count: x.width) }
  }
}
