import Checkpoints
import LinearAlgebra

/// A model's tensors one by one as matrices, vectors as a single row, with one layer in memory.
package struct TensorSource {
  private let weights: any WeightSource
  private var current: (index: Int, layer: LayerWeights)?

  private let factorRows: FactorRows?

  /// - Parameter factorRows: Which rows of gate and up projections change places; none unless given.
  package init(_ weights: any WeightSource, _ factorRows: FactorRows? = nil) {
    self.weights = weights
    self.factorRows = factorRows
  }

  /// `[outputs, inputs]`, or transposed. Complexity: O(the tensor's size), and that of its layer where it is another than
  /// the last one's.
  package mutating func values(of tensor: ModelTensor, isTransposed: Bool = false) throws -> Matrix {
    let matrix =
      switch tensor {
      case .embeddings: try weights.embeddings(of: (0..<Int32(weights.configuration.vocabularySize)).map { $0 })
      case .finalNorm: row(try weights.finalNorm())
      case .outputHead: try weights.outputHead()
      case .layer(let index, let part): try values(of: part, in: layer(index))
      }
    return isTransposed ? matrix.transposed() : matrix
  }

  private mutating func layer(_ index: Int) throws -> LayerWeights {
    if let current, current.index == index { return current.layer }
    current = nil  // before the next one is read, so that never two are held
    let layer = try weights.layer(index)
    factorRows?.exchange(layer.gate, layer.up, layer: index)
    current = (index, layer)
    return layer
  }

  private func values(of part: LayerTensor, in layer: LayerWeights) -> Matrix {
    switch part {
    case .attentionNorm: row(layer.attentionNorm)
    case .query: layer.query
    case .key: layer.key
    case .value: layer.value
    case .output: layer.output
    case .queryBias: row(layer.queryBias ?? [])
    case .keyBias: row(layer.keyBias ?? [])
    case .valueBias: row(layer.valueBias ?? [])
    case .queryNorm: row(layer.queryNorm ?? [])
    case .keyNorm: row(layer.keyNorm ?? [])
    case .attentionPostNorm: row(layer.attentionPostNorm ?? [])
    case .ffnNorm: row(layer.ffnNorm)
    case .gate: layer.gate
    case .up: layer.up
    case .down: layer.down
    case .ffnPostNorm: row(layer.ffnPostNorm ?? [])
    }
  }

  private func row(_ values: [Float]) -> Matrix { Matrix(rows: 1, columns: values.count, values: values) }
}
