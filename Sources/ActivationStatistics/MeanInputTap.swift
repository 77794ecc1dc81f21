import Synchronization
import Transformer

/// Finds the mean of one layer's FFN input.
public final class MeanInputTap: ActivationTap {
  /// Of each sequence, so that sums do not depend on which thread came first.
  private let sums: Mutex<[(values: [Double], tokens: Int)]>

  public init(sequences: Int) { sums = Mutex(Array(repeating: ([], 0), count: sequences)) }

  public func ffnInput(_ x: Activations, _ context: TapContext) {
    var sum = [Double](repeating: 0, count: x.width)
    for token in 0..<x.tokens {
      let row = x.row(token)
      for channel in 0..<x.width { sum[channel] += Double(row[channel]) }
    }
    sums.withLock { $0[context.sequence] = (sum, x.tokens) }
  }

  /// Over all tokens so far, `[hiddenSize]`; empty where there were none.
  public var mean: [Double] {
    let sums = sums.withLock { $0 }
    let tokens = Double(sums.reduce(0) { $0 + $1.tokens })
    guard var total = sums.first(where: { $0.tokens > 0 }).map({ $0.values.map { _ in 0.0 } }) else { return [] }
    for sum in sums where sum.tokens > 0 {
      for channel in total.indices { total[channel] += sum.values[channel] }
    }
    return total.map { $0 / tokens }
  }
}
