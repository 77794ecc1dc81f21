import Checkpoints
import LinearAlgebra

/// What the high planes of gate and up rows leave out of their sums on the mean: `Σ_j (W − Ŵ)_cj E[x_j]`, one a channel.
///
/// The inputs of a projection are far from zero on the mean, so that these constants, added wherever a high plane is read
/// alone, take away a good part of what half of the bits loses.
public struct PlaneOffsets: Sendable, Equatable {
  public var gate: [Float]  // [intermediateSize]
  public var up: [Float]  // [intermediateSize]

  public init(gate: [Float], up: [Float]) {
    self.gate = gate
    self.up = up
  }

  /// - Parameters:
  ///   - high: The high planes of the same weights.
  ///   - meanInput: Of the FFN, `[hiddenSize]`.
  /// - Complexity: O(weights of gate and up).
  public init(_ weights: LayerWeights, high: LayerWeights, meanInput: [Double]) {
    gate = Self.leftOut(of: weights.gate, high.gate, meanInput)
    up = Self.leftOut(of: weights.up, high.up, meanInput)
  }

  /// `(W − Ŵ) · x` for the mean input `x`, one a row.
  static func leftOut(of weight: Matrix, _ high: Matrix, _ meanInput: [Double]) -> [Float] {
    precondition(meanInput.count == weight.columns && high.rows == weight.rows && high.columns == weight.columns)
    return (0..<weight.rows).map { index in
      let (row, part) = (weight.row(index), high.row(index))
      var sum = 0.0
      for column in meanInput.indices { sum += (Double(row[column]) - Double(part[column])) * meanInput[column] }
      return Float(sum)
    }
  }

  /// Whether they are as many as `channels` and numbers.
  public func isUsable(channels: Int) -> Bool {
    [gate, up].allSatisfy { $0.count == channels && $0.allSatisfy(\.isFinite) }
  }
}
