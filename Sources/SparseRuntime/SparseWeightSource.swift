import Checkpoints
import LinearAlgebra
import SparseBundle
import ThresholdSolver

/// Hands out a model's weights a part at a time as ``SparseModel`` holds them, so that a model larger than memory can be
/// decoded layer by layer. Nothing is kept: the caller decides how long a layer lives.
public protocol SparseWeightSource: Sendable {
  var configuration: ModelConfiguration { get }

  /// One row a token, `[tokens.count, hiddenSize]`.
  ///
  /// - Throws: Where a token is outside the vocabulary.
  func embeddings(of tokens: [Int32]) throws -> Matrix

  /// Complexity: O(the layer's weights).
  func layer(_ index: Int) throws -> SparseModel.Layer

  /// Complexity: O(its weights).
  func outputHead() throws -> SparseModel.Head
}

/// Unpacks to float32; layers and head have the thresholds of the budget at which the bundle was opened.
extension ModelBundle: SparseWeightSource {
  public func embeddings(of tokens: [Int32]) throws -> Matrix { try weights.embeddings(of: tokens) }

  public func layer(_ index: Int) throws -> SparseModel.Layer {
    try SparseModel.Layer(weights, index, thresholds.layers[index])
  }

  public func outputHead() throws -> SparseModel.Head {
    SparseModel.Head(
      norm: try weights.finalNorm(), weight: try weights.outputHead(), high: try weights.highAlone?.outputHead(),
      margin: thresholds.headMargin, offsets: thresholds.headOffsets)
  }
}

extension SparseModel: SparseWeightSource {
  public func embeddings(of tokens: [Int32]) throws -> Matrix {
    Matrix(
      rows: tokens.count, columns: embedding.columns,
      values: tokens.flatMap { embedding.elements(row: Int($0)) })
  }

  public func layer(_ index: Int) -> Layer { layers[index] }

  public func outputHead() -> Head { head }
}

extension SparseModel.Layer {
  fileprivate init(_ weights: BundleWeights, _ index: Int, _ thresholds: Thresholds.Layer) throws {
    func matrix(_ part: LayerTensor) throws -> Matrix { try weights.stored(.layer(index, part)) }
    let factors = try weights.factors(index)
    self.init(
      index: index, attentionNorm: try weights.vector(index, .attentionNorm) ?? [], query: try matrix(.query),
      key: try matrix(.key), value: try matrix(.value), output: try matrix(.output),
      queryBias: try weights.vector(index, .queryBias), keyBias: try weights.vector(index, .keyBias),
      valueBias: try weights.vector(index, .valueBias), queryNorm: try weights.vector(index, .queryNorm),
      keyNorm: try weights.vector(index, .keyNorm),
      attentionPostNorm: try weights.vector(index, .attentionPostNorm),
      ffnNorm: try weights.vector(index, .ffnNorm) ?? [],
      gate: factors.gate, up: factors.up, down: try matrix(.down),
      ffnPostNorm: try weights.vector(index, .ffnPostNorm), thresholds: thresholds,
      high: try weights.highAlone.map { try SparseModel.HighPlanes($0, index) })
  }
}

extension SparseModel.HighPlanes {
  /// - Parameter weights: Those of high planes alone.
  fileprivate init(_ weights: BundleWeights, _ index: Int) throws {
    func matrix(_ part: LayerTensor) throws -> Matrix { try weights.stored(.layer(index, part)) }
    self.init(
      query: try matrix(.query), key: try matrix(.key), value: try matrix(.value), output: try matrix(.output),
      gate: try matrix(.gate), up: try matrix(.up), down: try matrix(.down))
  }
}
