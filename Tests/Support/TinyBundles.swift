import Checkpoints
import LinearAlgebra
import SparseBundle
import ThresholdSolver
import Transformer

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
      corpusHash: someDigest("c"), statisticsHash: someDigest("d"))
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
      modelHash: try hash, corpusHash: someDigest("c"), statisticsHash: someDigest("d"))
  }

  /// Thresholds that read about a third of the FFN's channels and of attention's inputs whole, a third by their high
  /// planes, and a third not at all: other ones for each. High planes have offsets.
  ///
  /// - Parameter headMargin: Of the output head.
  public func someGradedThresholds(
    _ planes: PlaneFormat = .int8, attention: Bool = true, headMargin: Float? = 2
  ) throws -> Thresholds {
    var numbers = RandomNumbers(seed: 3)
    let c = configuration
    /// One below which nothing is read, and one from which everything is.
    func random(_ count: Int, _ range: Range<Float>) -> (half: [Float], full: [Float]) {
      let half = (0..<count).map { _ in Float.random(in: range, using: &numbers) }
      return (half, half.map { $0 + Float.random(in: range, using: &numbers) })
    }
    func offsets(_ count: Int) -> [Float] { (0..<count).map { _ in Float.random(in: -0.05..<0.05, using: &numbers) } }
    return Thresholds(
      request: try SolverRequest(
        method: .planes, attention: attention, head: headMargin != nil, sparsity: 0.5),
      planes: planes,
      layers: (0..<c.layerCount).map { _ in
        let (ffn, output) = (random(c.intermediateSize, 0..<0.05), random(c.queryWidth, 0..<0.3))
        let (query, key, value) = (
          random(c.hiddenSize, 0..<0.8), random(c.hiddenSize, 0..<0.8), random(c.hiddenSize, 0..<0.8)
        )
        let planeOffsets = PlaneOffsets(gate: offsets(c.intermediateSize), up: offsets(c.intermediateSize))
        guard attention else {
          return Thresholds.Layer(ffn: ffn.half, full: GradedPlaces(ffn: ffn.full), offsets: planeOffsets)
        }
        return Thresholds.Layer(
          ffn: ffn.half, query: query.half, key: key.half, value: value.half, output: output.half,
          full: GradedPlaces(
            ffn: ffn.full, query: query.full, key: key.full, value: value.full, output: output.full),
          offsets: planeOffsets)
      },
      headMargin: headMargin, headOffsets: headMargin.map { _ in offsets(c.vocabularySize) },
      realised: .init(
        ffn: 0.5, query: attention ? 0.5 : nil, key: attention ? 0.5 : nil, value: attention ? 0.5 : nil,
        output: attention ? 0.5 : nil,
        full: attention
          ? GradedPlaces(ffn: 0.25, query: 0.25, key: 0.25, value: 0.25, output: 0.25) : GradedPlaces(ffn: 0.25),
        fullHead: headMargin.map { _ in 0.25 }),
      modelHash: try hash, corpusHash: someDigest("c"), statisticsHash: someDigest("d"))
  }

  /// Thresholds that a bundle of a type can hold: graded ones for weights in planes.
  public func someThresholds(
    for type: WeightType, attention: Bool = true, isExtended: Bool = false
  ) throws -> Thresholds {
    try type.planes.map { try someGradedThresholds($0, attention: attention) }
      ?? someThresholds(attention: attention, isExtended: isExtended)
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
    let thresholds = try someThresholds(for: type, attention: attention, isExtended: isExtended)
    let others = otherSparsities.map(thresholds.scaled)
    let rounded = RoundedWeights(weights, type, FactorRows(thresholds))
    let golden = try ([thresholds] + others).map { try goldenVectors(rounded, $0, sequences) }
    try BundleWriter(model: self, thresholds: thresholds, others: others, type: type, toolVersion: "1")
      .write(
        to: path, golden: golden[0], others: Array(golden.dropFirst()), tolerance: 1e-3,
        quality: someQuality(sparsities: ([thresholds] + others).map(\.request.sparsity)), loss: someLoss(type))
    return golden[0]
  }

  /// Not measured.
  public func someQuality(sparsities: [Double]) -> BundleQuality {
    BundleQuality(
      text: RoundingLoss.builtInText, tokens: 3, command: "none", densePerplexity: 20,
      budgets: sparsities.map { .init(sparsity: $0, perplexity: 25, kl: 0.25, activatedShare: 0.625) })
  }

  /// Not measured, and such that activations stay exact; `nil` for f32.
  public func someLoss(_ type: WeightType) -> RoundingLoss? {
    guard type != .f32 else { return nil }
    return RoundingLoss(
      text: RoundingLoss.builtInText, tokens: 3, kl: 0.25,
      activationRoundingKL: type.allowsRoundedActivations ? 0.03125 : nil)
  }

  /// What a runtime must compute, at every position.
  private func goldenVectors(
    _ rounded: any WeightSource, _ thresholds: Thresholds, _ sequences: [[Int32]]
  ) throws -> GoldenVectors {
    let tap = MaskingTap(thresholds.layers)
    let (source, dense) = (try logits(weights, sequences), try logits(rounded, sequences))
    var sparse = try logits(rounded, sequences, tap: { _ in tap })
    var keptHead: [[[Bool]]]?
    if let margin = thresholds.headMargin, let high = rounded.highPlanes {
      // The same hidden states, which meet the high plane of the head alone.
      let size = configuration.vocabularySize
      let coarse = try logits(HighHead(base: rounded, head: high), sequences, tap: { _ in tap }).map { logits in
        logits.indices.map { logits[$0] + (thresholds.headOffsets?[$0 % size] ?? 0) }
      }
      let kept = zip(sequences, coarse).map { tokens, coarse in
        coarse.split(into: tokens.count).map { row in row.map { $0 >= (row.max() ?? 0) - margin } }
      }
      for i in sparse.indices {
        for j in sparse[i].indices where !kept[i][j / size][j % size] { sparse[i][j] = coarse[i][j] }
      }
      keptHead = kept
    }
    return GoldenVectors(
      texts: sequences.indices.map { i in
        .init(
          tokens: sequences[i], positions: Array(sequences[i].indices), source: source[i], dense: dense[i],
          sparse: sparse[i], kept: tap.kept(sequence: i, tokens: sequences[i].count), keptHead: keptHead?[i])
      })
  }
}

extension WeightType {
  /// Those that hold thresholds of methods that do not grade.
  public static let unsplit = allCases.filter { !$0.isInPlanes }
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
      other.layers[index].key = scaled(layer.key)
      other.layers[index].value = scaled(layer.value)
      other.layers[index].full = layer.full?.map { $0.map { factor * $0 } }
    }
    return other
  }
}

/// Weights whose output head alone is another's.
private struct HighHead: WeightSource {
  let base: any WeightSource
  let head: any WeightSource

  var configuration: ModelConfiguration { base.configuration }
  var highPlanes: (any WeightSource)? { base.highPlanes }
  func layer(_ index: Int) throws -> LayerWeights { try base.layer(index) }
  func embeddings(of tokens: [Int32]) throws -> Matrix { try base.embeddings(of: tokens) }
  func finalNorm() throws -> [Float] { try base.finalNorm() }
  func outputHead() throws -> Matrix { try head.outputHead() }
}
