import Checkpoints
import LinearAlgebra

/// Euclidean norms of the columns of a layer's projections, `‖W[:,j]‖₂` for each input `j`.
public struct ColumnNorms: Sendable, Equatable {
  public let query: [Double]  // [hiddenSize]
  public let key: [Double]  // [hiddenSize]
  public let value: [Double]  // [hiddenSize]
  public let output: [Double]  // [queryWidth]
  public let gate: [Double]  // [hiddenSize]
  public let up: [Double]  // [hiddenSize]
  public let down: [Double]  // [intermediateSize]

  /// Complexity: O(the layer's weights).
  public init(_ weights: LayerWeights) {
    query = Self.norms(weights.query)
    key = Self.norms(weights.key)
    value = Self.norms(weights.value)
    output = Self.norms(weights.output)
    gate = Self.norms(weights.gate)
    up = Self.norms(weights.up)
    down = Self.norms(weights.down)
  }

  private static func norms(_ matrix: Matrix) -> [Double] {
    var squares = [Double](repeating: 0, count: matrix.columns)
    squares.withUnsafeMutableBufferPointer { squares in
      for index in 0..<matrix.rows {
        let row = matrix.row(index)
        for column in 0..<squares.count { squares[column] += Double(row[column]) * Double(row[column]) }
      }
    }
    return squares.map { $0.squareRoot() }
  }
}
