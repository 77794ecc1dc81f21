import Checkpoints
import LinearAlgebra

/// A model's weights rounded to a format in planes, with both of them.
///
/// Gate and up projections, embeddings and output head lie a row an output, where there are groups of 32 with these along
/// the inputs. All other projections lie a row an input, so that inputs can be read in part.
///
/// Throws ``BundleError`` where weights are out of the format's range.
public struct PlaneWeights: WeightSource {
  private let weights: any WeightSource
  private let type: WeightType
  private let format: PlaneFormat
  private let highAlone: Bool

  public init(_ weights: any WeightSource, _ format: PlaneFormat) { self.init(weights, format, highAlone: false) }

  private init(_ weights: any WeightSource, _ format: PlaneFormat, highAlone: Bool) {
    self.weights = weights
    self.format = format
    type = WeightType(format)
    self.highAlone = highAlone
  }

  public var highPlanes: (any WeightSource)? { highAlone ? nil : PlaneWeights(weights, format, highAlone: true) }

  public var configuration: ModelConfiguration { weights.configuration }

  public func layer(_ index: Int) throws -> LayerWeights {
    try weights.layer(index).mapMatrices { matrix, part in
      let tensor = ModelTensor.layer(index, part)
      let turns = tensor.isStoredByInput(type, cutsInput: false)
      let stored = turns ? matrix.transposed() : matrix
      try round(stored, tensor)
      return turns ? stored.transposed() : stored
    }
  }

  public func embeddings(of tokens: [Int32]) throws -> Matrix {
    let rows = try weights.embeddings(of: tokens)
    try round(rows, .embeddings)
    return rows
  }

  public func finalNorm() throws -> [Float] { try weights.finalNorm() }

  public func outputHead() throws -> Matrix {
    let head = try weights.outputHead()
    try round(head, configuration.tiedEmbeddings ? .embeddings : .outputHead)
    return head
  }

  /// In place: a source hands out new matrices each time.
  private func round(_ matrix: Matrix, _ tensor: ModelTensor) throws(BundleError) {
    // Both planes together are what unsplit weights are.
    let stored = highAlone ? type : format.unsplit
    do { try stored.formats(of: tensor)[0].round(matrix) } catch {
      throw BundleError(
        error, tensor: tensor.storedName(in: configuration.architecture, type, cutsInput: false), type)
    }
  }
}
