import Checkpoints
import LinearAlgebra

/// A model's weights as a bundle of a given type stores them.
public struct RoundedWeights: WeightSource {
  private let weights: any WeightSource
  private let type: WeightType

  public init(_ weights: any WeightSource, _ type: WeightType) {
    self.weights = weights
    self.type = type
  }

  public var configuration: ModelConfiguration { weights.configuration }

  public func layer(_ index: Int) throws -> LayerWeights {
    let layer = try weights.layer(index)
    for matrix in [layer.query, layer.key, layer.value, layer.output, layer.gate, layer.up, layer.down] {
      round(matrix)
    }
    return layer
  }

  public func embeddings(of tokens: [Int32]) throws -> Matrix { round(try weights.embeddings(of: tokens)) }

  public func finalNorm() throws -> [Float] { try weights.finalNorm() }

  public func outputHead() throws -> Matrix { round(try weights.outputHead()) }

  /// In place: a source hands out new matrices each time.
  @discardableResult
  private func round(_ matrix: Matrix) -> Matrix {
    for i in 0..<matrix.count { matrix.base[i] = type.rounded(matrix.base[i]) }
    return matrix
  }
}
