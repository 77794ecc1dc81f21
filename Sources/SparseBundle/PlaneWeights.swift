import Checkpoints
import LinearAlgebra

/// A model's weights rounded to 8-bit codes in two planes, with both of them.
///
/// Gate and up projections, embeddings and output head lie a row an output, with groups of 32 along the inputs. All
/// other projections lie a row an input, so that inputs can be read in part.
///
/// Throws ``BundleError`` where weights are out of the format's range.
public struct PlaneWeights: WeightSource {
  private let weights: any WeightSource
  private let highAlone: Bool

  public init(_ weights: any WeightSource) { self.init(weights, highAlone: false) }

  private init(_ weights: any WeightSource, highAlone: Bool) {
    self.weights = weights
    self.highAlone = highAlone
  }

  public var highPlanes: (any WeightSource)? { highAlone ? nil : PlaneWeights(weights, highAlone: true) }

  public var configuration: ModelConfiguration { weights.configuration }

  public func layer(_ index: Int) throws -> LayerWeights {
    try weights.layer(index).mapMatrices { matrix, part in
      let tensor = ModelTensor.layer(index, part)
      let stored = tensor.isInPlanesByInput ? matrix.transposed() : matrix
      try round(stored, tensor)
      return tensor.isInPlanesByInput ? stored.transposed() : stored
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
    do { try PlaneRecord.round(matrix, highAlone: highAlone) } catch {
      throw BundleError(
        error, tensor: tensor.storedName(in: configuration.architecture, cutsInput: false), .int8)
    }
  }
}

extension PlaneRecord {
  /// Replaces weights by what both planes of their rows hold, or by what the high one does.
  fileprivate static func round(_ matrix: Matrix, highAlone: Bool) throws(UnstorableWeights) {
    try WeightType.int8.round(matrix)
    guard highAlone else { return }
    let count = matrix.columns
    var record = [UInt8](repeating: 0, count: size(columns: count))
    try record.withUnsafeMutableBufferPointer { record throws(UnstorableWeights) in
      guard let base = UnsafeMutableRawPointer(record.baseAddress) else { return }
      for row in 0..<matrix.rows {
        record.update(repeating: 0)
        try encode(.high, matrix.row(row), count: count, into: base)
        decode(.high, base, into: matrix.row(row), count: count)
      }
    }
  }
}
