import Checkpoints
import SparseBundle
import ThresholdSolver

extension Checkpoint {
  /// Thresholds that drop about half at each place, other ones for each channel of the FFN.
  ///
  /// - Parameter isExtended: Either factor decides, then the product, and a bias is added.
  public func someThresholds(attention: Bool = true, isExtended: Bool = false) throws -> Thresholds {
    var numbers = RandomNumbers(seed: 1)
    let c = configuration
    func random(_ count: Int, _ range: Range<Float>) -> [Float]? {
      isExtended ? (0..<count).map { _ in Float.random(in: range, using: &numbers) } : nil
    }
    return Thresholds(
      request: try SolverRequest(method: .chess, attention: attention, sparsity: 0.5),
      layers: (0..<c.layerCount).map { _ in
        Thresholds.Layer(
          ffn: (0..<c.intermediateSize).map { _ in Float.random(in: 0..<0.4, using: &numbers) },
          query: attention ? [0.6] : nil, output: attention ? [0.3] : nil,
          upDecides: random(c.intermediateSize, 0..<1)?.map { $0 < 0.5 },
          product: random(c.intermediateSize, 0.01..<0.2), input: random(1, 0.3..<0.5),
          bias: random(c.hiddenSize, -0.1..<0.1))
      },
      realised: .init(
        ffn: 0.5, input: isExtended ? 0.3 : nil, query: attention ? 0.5 : nil, output: attention ? 0.5 : nil),
      modelHash: try hash,
      corpusHash: "c", statisticsHash: "s")
  }

  /// Thresholds that drop about half of every projection's inputs: one a channel for the FFN, one a place for attention.
  public func someInputThresholds() throws -> Thresholds {
    var numbers = RandomNumbers(seed: 2)
    let c = configuration
    func random(_ count: Int, _ range: Range<Float>) -> [Float] {
      (0..<count).map { _ in Float.random(in: range, using: &numbers) }
    }
    return Thresholds(
      request: try SolverRequest(method: .wina, attention: true, sparsity: 0.5),
      layers: (0..<c.layerCount).map { _ in
        Thresholds.Layer(
          ffn: [Float](repeating: 0, count: c.intermediateSize), query: [0.6], key: [0.4], value: [0.5], output: [0.3],
          product: random(c.intermediateSize, 0.01..<0.2), input: random(c.hiddenSize, 0.2..<0.8),
          otherInput: random(c.hiddenSize, 0.2..<0.8))
      },
      realised: .init(
        ffn: 0, down: 0.5, input: 0.5, otherInput: 0.5, query: 0.5, key: 0.5, value: 0.5, output: 0.5),
      modelHash: try hash, corpusHash: "c", statisticsHash: "s")
  }

  /// Writes a bundle of this model with golden vectors of its first sequences.
  ///
  /// - Parameter otherSparsities: Those of budgets beside the default, which is for 0.5.
  /// - Returns: The default's golden vectors.
  @discardableResult
  public func writeBundle(
    to path: String, _ type: WeightType, _ sequences: [[Int32]], attention: Bool = true, isExtended: Bool = false,
    otherSparsities: [Double] = []
  ) throws -> GoldenVectors {
    let thresholds = try someThresholds(attention: attention, isExtended: isExtended)
    let others = otherSparsities.map(thresholds.scaled)
    let rounded = RoundedWeights(weights, type, FactorRows(thresholds))
    let golden = try ([thresholds] + others).map { try goldenVectors(rounded, $0, sequences) }
    try BundleWriter(model: self, thresholds: thresholds, others: others, type: type, toolVersion: "1")
      .write(
        to: path, golden: golden[0], others: Array(golden.dropFirst()), tolerance: 1e-3, loss: someLoss(type))
    return golden[0]
  }

  /// Not measured, and such that activations stay exact; `nil` for f32.
  public func someLoss(_ type: WeightType) -> RoundingLoss? {
    guard type != .f32 else { return nil }
    return RoundingLoss(
      text: RoundingLoss.builtInText, tokens: 3, kl: 0.25, activationRoundingKL: type.isQuantized ? 0.03125 : nil)
  }

  /// What a runtime must compute, at every position.
  private func goldenVectors(
    _ rounded: any WeightSource, _ thresholds: Thresholds, _ sequences: [[Int32]]
  ) throws -> GoldenVectors {
    let tap = MaskingTap(thresholds.layers)
    let (source, dense) = (try logits(weights, sequences), try logits(rounded, sequences))
    let sparse = try logits(rounded, sequences, tap: { _ in tap })
    return GoldenVectors(
      texts: sequences.indices.map { i in
        .init(
          tokens: sequences[i], positions: Array(sequences[i].indices), source: source[i], dense: dense[i],
          sparse: sparse[i], kept: tap.kept(sequence: i, tokens: sequences[i].count))
      })
  }
}

extension Thresholds {
  /// Those of another budget: every threshold is larger or smaller as the sparsity is.
  public func scaled(to sparsity: Double) -> Thresholds {
    let factor = Float(sparsity / request.sparsity)
    func scaled(_ thresholds: [Float]?) -> [Float]? { thresholds?.map { factor * $0 } }
    var other = self
    other.request.sparsity = sparsity
    other.realised.ffn = sparsity
    for (index, layer) in layers.enumerated() {
      other.layers[index].ffn = layer.ffn.map { factor * $0 }
      other.layers[index].query = scaled(layer.query)
      other.layers[index].output = scaled(layer.output)
      other.layers[index].product = scaled(layer.product)
      other.layers[index].input = scaled(layer.input)
    }
    return other
  }
}
