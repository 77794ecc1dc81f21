import Synchronization
import ThresholdSolver
import Transformer

/// Makes one layer of the forward pass skip what thresholds say, at every position, and counts what
/// was skipped.
public final class ThresholdTap: SharesTap {
  private let thresholds: Thresholds.Layer
  private let ffn = DropCounter()
  private let down = DropCounter()
  private let input = DropCounter()
  private let otherInput = DropCounter()
  private let query = DropCounter()
  private let key = DropCounter()
  private let value = DropCounter()
  private let output = DropCounter()

  public init(_ thresholds: Thresholds.Layer) { self.thresholds = thresholds }

  public var masksQueryInput: Bool { thresholds.query != nil }
  public var masksKeyAndValueInputs: Bool { thresholds.key != nil || thresholds.value != nil }
  public var masksOtherInput: Bool { thresholds.otherInput != nil }

  /// Gate rows decide where thresholds name no source.
  public func decidingRows(layer: Int) -> [Bool]? {
    guard thresholds.input != nil || thresholds.otherInput != nil else { return nil }
    return thresholds.upDecides ?? thresholds.ffn.map { _ in false }
  }

  public func decidingInput(_ x: Activations, _ context: TapContext) {
    thresholds.input.map { input.drop(x, below: $0) }
  }

  public func otherInput(_ x: Activations, _ context: TapContext) {
    thresholds.otherInput.map { otherInput.drop(x, below: $0) }
  }

  public func queryInput(_ x: Activations, _ context: TapContext) {
    thresholds.query.map { query.drop(x, below: $0) }
  }

  public func keyInput(_ x: Activations, _ context: TapContext) {
    thresholds.key.map { key.drop(x, below: $0) }
  }

  public func valueInput(_ x: Activations, _ context: TapContext) {
    thresholds.value.map { value.drop(x, below: $0) }
  }

  public func outputInput(_ x: Activations, _ context: TapContext) {
    thresholds.output.map { output.drop(x, below: $0) }
  }

  public func gateAndUp(_ gate: Activations, _ up: Activations, _ context: TapContext) {
    guard let upDecides = thresholds.upDecides else { return ffn.drop(gate, below: thresholds.ffn) }
    ffn.drop(gate, up, below: thresholds.ffn, upDecides)
  }

  public func product(_ x: Activations, _ context: TapContext) {
    thresholds.product.map { down.drop(x, below: $0) }
  }

  public func layerOutput(_ x: Activations, _ context: TapContext) {
    guard let bias = thresholds.bias else { return }
    precondition(bias.count == x.width)
    for token in 0..<x.tokens {
      let row = x.row(token)
      for channel in 0..<x.width { row[channel] += bias[channel] }
    }
  }

  /// The shares of values dropped so far, over all positions: of the FFN, those that the deciding factor drops, and
  /// with a second cut the products that either cut drops.
  public var shares: Thresholds.Shares {
    Thresholds.Shares(
      // A threshold of 0 is above no zero: what the first cut drops counts in any case.
      ffn: ffn.share, down: thresholds.product.map { _ in max(down.share, ffn.share) },
      input: thresholds.input.map { _ in input.share },
      otherInput: thresholds.otherInput.map { _ in otherInput.share },
      query: thresholds.query.map { _ in query.share },
      key: thresholds.key.map { _ in key.share },
      value: thresholds.value.map { _ in value.share },
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
  func drop(_ x: Activations, below thresholds: [Float]) { count(zeroed(x, below: thresholds), of: x) }

  /// Drops each channel by the factor that decides: either one being zero, their product is.
  func drop(_ gate: Activations, _ up: Activations, below thresholds: [Float], _ upDecides: [Bool]) {
    func own(_ up: Bool) -> [Float] { zip(thresholds, upDecides).map { $1 == up ? $0 : 0 } }
    count(zeroed(gate, below: own(false)) + zeroed(up, below: own(true)), of: gate)
  }

  private func count(_ zeroed: Int, of x: Activations) {
    seen.add(x.tokens * x.width, ordering: .relaxed)
    dropped.add(zeroed, ordering: .relaxed)
  }
}

/// Zeroes values below thresholds, one for all channels or one each; returns how many there were.
private func zeroed(_ x: Activations, below thresholds: [Float]) -> Int {
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
  return x.tokens * x.width - kept
}
