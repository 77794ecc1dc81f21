import Checkpoints
import LinearAlgebra
import SparseBundle
import ThresholdSolver

extension SparseModel {
  /// Unpacks a bundle's weights into memory as float32.
  ///
  /// - Throws: What reading the weights throws.
  /// - Complexity: O(weights); 4 bytes of memory each.
  public init(_ bundle: ModelBundle) throws {
    let embedding = try bundle.weights.stored(.embeddings)
    self.init(
      configuration: bundle.configuration, embedding: embedding,
      layers: try bundle.thresholds.layers.enumerated().map { index, thresholds in
        try Layer(bundle.weights, index, thresholds)
      },
      finalNorm: try bundle.weights.finalNorm(),
      outputHead: bundle.configuration.tiedEmbeddings ? embedding : try bundle.weights.outputHead(),
      highOutputHead: try bundle.weights.highAlone?.outputHead(), headMargin: bundle.thresholds.headMargin,
      headOffsets: bundle.thresholds.headOffsets)
  }
}

extension SparseModel.Layer {
  fileprivate init(_ weights: BundleWeights, _ index: Int, _ thresholds: Thresholds.Layer) throws {
    func matrix(_ part: LayerTensor) throws -> Matrix { try weights.stored(.layer(index, part)) }
    let factors = try weights.factors(index)
    self.init(
      attentionNorm: try weights.vector(index, .attentionNorm) ?? [], query: try matrix(.query),
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
