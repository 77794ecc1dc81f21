import Checkpoints
import LinearAlgebra

/// Gate and up projections with the rows that decide in one matrix and the others in a second one, so that each reads
/// an input of its own.
struct DecidingWeights: Sendable {
  let deciding: Matrix  // [intermediateSize, hiddenSize]
  let other: Matrix  // [intermediateSize, hiddenSize]
  /// Channels in which the up projection decides.
  private let exchanged: [Int]

  /// - Complexity: O(weights), unless the gate decides in all channels.
  init(_ weights: LayerWeights, upDecides: [Bool]) {
    exchanged = upDecides.indices.filter { upDecides[$0] }
    guard !exchanged.isEmpty else {
      (deciding, other) = (weights.gate, weights.up)
      return
    }
    // The layer's own are not changed: others may read them.
    (deciding, other) = (weights.gate.copy(), weights.up.copy())
    deciding.exchangeRows(with: other, where: upDecides)
  }

  /// Takes what the two matrices gave, `[tokens, intermediateSize]`, to what gate and up projections give.
  func restore(_ deciding: Matrix, _ other: Matrix, tokens: Int) {
    for token in 0..<tokens {
      let (a, b) = (deciding.row(token), other.row(token))
      for channel in exchanged { (a[channel], b[channel]) = (b[channel], a[channel]) }
    }
  }
}
