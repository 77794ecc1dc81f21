import Synchronization
import ThresholdSolver
import Transformer

/// Makes one layer of the forward pass skip what thresholds say, at every position, and counts what
/// was skipped.
public final class ThresholdTap: ActivationTap {
  private let thresholds: Thresholds.Layer
  private let ffn = DropCounter()
  private let query = DropCounter()
  private let output = DropCounter()

  public init(_ thresholds: Thresholds.Layer) { self.thresholds = thresholds }

  public var masksQueryInput: Bool { thresholds.query != nil }

  public func queryInput(_ x: Activations, _ context: TapContext) {
    thresholds.query.map { query.drop(x, below: $0) }
  }

  public func outputInput(_ x: Activations, _ context: TapContext) {
    thresholds.output.map { output.drop(x, below: $0) }
  }

  public func gateAndUp(_ gate: Activations, _ up: Activations, _ context: TapContext) {
    ffn.drop(gate, below: thresholds.ffn)
  }

  /// The shares of values dropped so far, over all positions.
  public var shares: Thresholds.Shares {
    Thresholds.Shares(
      ffn: ffn.share, query: thresholds.query.map { _ in query.share },
      output: thresholds.output.map { _ in output.share })
  }
}

/// Zeroes values below thresholds and counts, from any thread.
private final class DropCounter: Sendable {
  private let dropped = Atomic<Int>(0)
  private let seen = Atomic<Int>(0)

  var share: Double {
    let seen = seen.load(ordering: .relaxed)
    return seen == 0 ? 0 : Double(dropped.load(ordering: .relaxed)) / Double(seen)
  }

  /// - Parameter thresholds: One for all channels, or one each.
  func drop(_ x: Activations, below thresholds: [Float]) {
    let each = thresholds.count == 1 ? [Float](repeating: thresholds[0], count: x.width) : thresholds
    precondition(each.count == x.width)
    var kept = 0
    for token in 0..<x.tokens {
      let row = x.row(token)
      for channel in 0..<x.width {
        let keeps = row[channel].magnitude >= each[channel]
        row[channel] = keeps ? row[channel] : 0
        kept &+= keeps ? 1 : 0
      }
    }
    seen.add(x.tokens * x.width, ordering: .relaxed)
    dropped.add(x.tokens * x.width - kept, ordering: .relaxed)
  }
}
