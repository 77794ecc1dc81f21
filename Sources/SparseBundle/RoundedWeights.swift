import Checkpoints
import LinearAlgebra

/// A model's weights as a bundle of a given type stores them.
///
/// Throws ``BundleError`` where a bundle of that type could not be written.
public struct RoundedWeights: WeightSource {
  private let weights: any WeightSource
  private let type: WeightType
  private let factorRows: FactorRows?

  /// - Parameter factorRows: How gate and up projections are stored, where not as they are.
  public init(_ weights: any WeightSource, _ type: WeightType, _ factorRows: FactorRows? = nil) {
    self.weights = weights
    self.type = type
    self.factorRows = factorRows
  }

  public var configuration: ModelConfiguration { weights.configuration }

  public func layer(_ index: Int) throws -> LayerWeights {
    var layer = try weights.layer(index)
    func rounded(_ matrix: Matrix, _ part: LayerTensor) throws -> Matrix {
      try self.rounded(matrix, .layer(index, part))
    }
    layer.query = try rounded(layer.query, .query)
    layer.key = try rounded(layer.key, .key)
    layer.value = try rounded(layer.value, .value)
    layer.output = try rounded(layer.output, .output)
    factorRows?.exchange(layer.gate, layer.up, layer: index)
    layer.gate = try rounded(layer.gate, .gate)
    layer.up = try rounded(layer.up, .up)
    factorRows?.exchange(layer.gate, layer.up, layer: index)
    layer.down = try rounded(layer.down, .down)
    return layer
  }

  public func embeddings(of tokens: [Int32]) throws -> Matrix {
    try rounded(weights.embeddings(of: tokens), .embeddings)
  }

  public func finalNorm() throws -> [Float] { try weights.finalNorm() }

  public func outputHead() throws -> Matrix {
    try rounded(weights.outputHead(), configuration.tiedEmbeddings ? .embeddings : .outputHead)
  }

  /// Changes the matrix where it can: a source hands out new ones each time.
  private func rounded(_ matrix: Matrix, _ tensor: ModelTensor) throws(BundleError) -> Matrix {
    let type = type.type(of: tensor)
    let cutsInput = factorRows != nil
    // A group's weights lie next to each other as stored.
    let turns = type.isQuantized && tensor.isSkippedByInput(cutsInput: cutsInput)
    let stored = turns ? matrix.transposed() : matrix
    do { try type.round(stored) } catch {
      throw BundleError(
        error, tensor: tensor.storedName(in: configuration.architecture, cutsInput: cutsInput), type)
    }
    return turns ? stored.transposed() : stored
  }
}
