import Checkpoints
import LinearAlgebra

/// What reading only the high planes of a layer's projections leaves out, for each of their inputs.
public struct PlaneErrors: Sendable, Equatable {
  /// Of one projection, an entry an input `j`.
  public struct Columns: Sendable, Equatable {
    /// `‖W[:,j]‖²`
    public var squares: [Double]
    /// `‖W[:,j] − Ŵ[:,j]‖²` with the high planes `Ŵ`
    public var errors: [Double]

    init(_ matrix: Matrix, _ high: Matrix) {
      squares = [Double](repeating: 0, count: matrix.columns)
      errors = squares
      for index in 0..<matrix.rows {
        let (row, other) = (matrix.row(index), high.row(index))
        for column in squares.indices {
          let (weight, error) = (Double(row[column]), Double(row[column] - other[column]))
          squares[column] += weight * weight
          errors[column] += error * error
        }
      }
    }
  }

  public let query: Columns  // [hiddenSize]
  public let key: Columns  // [hiddenSize]
  public let value: Columns  // [hiddenSize]
  public let output: Columns  // [queryWidth]
  public let down: Columns  // [intermediateSize]

  /// - Parameter high: The high planes of the same weights.
  /// - Complexity: O(the layer's weights).
  public init(_ weights: LayerWeights, high: LayerWeights) {
    query = Columns(weights.query, high.query)
    key = Columns(weights.key, high.key)
    value = Columns(weights.value, high.value)
    output = Columns(weights.output, high.output)
    down = Columns(weights.down, high.down)
  }
}
