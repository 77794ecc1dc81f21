import Checkpoints
import LinearAlgebra

/// A model's weights as a bundle of a given type stores them.
///
/// Throws ``BundleError`` where a bundle of that type could not be written.
public struct RoundedWeights: WeightSource {
  private let weights: any WeightSource
  private let type: WeightType
  private let factorRows: FactorRows?
  /// What takes the place of all this where weights lie in planes.
  private let planes: PlaneWeights?

  /// - Parameter factorRows: How gate and up projections are stored, where not as they are.
  public init(_ weights: any WeightSource, _ type: WeightType, _ factorRows: FactorRows? = nil) {
    self.weights = weights
    self.type = type
    self.factorRows = factorRows
    planes = type.planes.map { PlaneWeights(weights, $0) }
  }

  public var configuration: ModelConfiguration { weights.configuration }

  public var highPlanes: (any WeightSource)? { planes?.highPlanes }

  public func layer(_ index: Int) throws -> LayerWeights {
    if let planes { return try planes.layer(index) }
    let layer = try weights.layer(index)
    factorRows?.exchange(layer.gate, layer.up, layer: index)
    let stored = try layer.mapMatrices { try rounded($0, .layer(index, $1)) }
    factorRows?.exchange(stored.gate, stored.up, layer: index)
    return stored
  }

  public func embeddings(of tokens: [Int32]) throws -> Matrix {
    if let planes { return try planes.embeddings(of: tokens) }
    return try rounded(weights.embeddings(of: tokens), .embeddings)
  }

  public func finalNorm() throws -> [Float] { try weights.finalNorm() }

  public func outputHead() throws -> Matrix {
    if let planes { return try planes.outputHead() }
    return try rounded(weights.outputHead(), configuration.tiedEmbeddings ? .embeddings : .outputHead)
  }

  /// Changes the matrix where it can: a source hands out new ones each time.
  private func rounded(_ matrix: Matrix, _ tensor: ModelTensor) throws(BundleError) -> Matrix {
    let cutsInput = factorRows != nil
    // A group's weights lie next to each other as stored.
    let turns = type.isQuantized && tensor.isStoredByInput(type, cutsInput: cutsInput)
    let stored = turns ? matrix.transposed() : matrix
    do { try type.formats(of: tensor)[0].round(stored) } catch {
      throw BundleError(
        error, tensor: tensor.storedName(in: configuration.architecture, type, cutsInput: cutsInput), type)
    }
    return turns ? stored.transposed() : stored
  }
}

extension LayerWeights {
  /// The same layer with its projections replaced, one after the other.
  func mapMatrices(_ transform: (Matrix, LayerTensor) throws -> Matrix) rethrows -> LayerWeights {
    var layer = self
    layer.query = try transform(query, .query)
    layer.key = try transform(key, .key)
    layer.value = try transform(value, .value)
    layer.output = try transform(output, .output)
    layer.gate = try transform(gate, .gate)
    layer.up = try transform(up, .up)
    layer.down = try transform(down, .down)
    return layer
  }
}
