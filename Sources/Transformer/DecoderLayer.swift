import Checkpoints
import LinearAlgebra

/// One layer of a decoder: attention and gated FFN, each added to the residual stream.
struct DecoderLayer {
  let configuration: ModelConfiguration
  let index: Int
  let weights: LayerWeights
  /// Gate and up projections by which of them decides, where the deciding rows read an input of their own.
  let split: DecidingWeights?
  let rotary: RotaryTable
  /// How the tokens follow each other.
  let layout: SequenceLayout

  /// Takes the first rows of `hidden`, the residual stream, through the layer, in place. What `tap` writes
  /// is what goes on.
  func callAsFunction(
    _ hidden: Matrix, _ workspace: Workspace, tokens: Int, tap: some ActivationTap, _ context: TapContext
  ) throws {
    try attention(hidden, workspace, tokens, tap, context)
    try feedForward(hidden, workspace, tokens, tap, context)
  }

  private func attention(
    _ hidden: Matrix, _ w: Workspace, _ tokens: Int, _ tap: some ActivationTap, _ context: TapContext
  ) throws {
    norm(hidden, weights.attentionNorm, into: w.normed, tokens)
    try tap.attentionInput(Activations(w.normed, tokens: tokens), context)

    let queryInput = try input(w, tokens, isCopied: tap.masksQueryInput) { try tap.queryInput($0, context) }
    project(queryInput, weights.query, bias: weights.queryBias, into: w.query, tokens)
    let keyInput = try input(w, tokens, isCopied: tap.masksKeyAndValueInputs) { try tap.keyInput($0, context) }
    project(keyInput, weights.key, bias: weights.keyBias, into: w.key, tokens)
    let valueInput = try input(w, tokens, isCopied: tap.masksKeyAndValueInputs) { try tap.valueInput($0, context) }
    project(valueInput, weights.value, bias: weights.valueBias, into: w.value, tokens)
    position(w.query, heads: configuration.headCount, norm: weights.queryNorm, tokens)
    position(w.key, heads: configuration.keyValueHeadCount, norm: weights.keyNorm, tokens)
    try tap.keysAndValues(Activations(w.key, tokens: tokens), Activations(w.value, tokens: tokens), context)

    Attention(configuration: configuration, layer: index)(w, layout)
    try tap.outputInput(Activations(w.mixed, tokens: tokens), context)
    add(w.mixed, weights.output, norm: weights.attentionPostNorm, to: hidden, w, tokens)
  }

  private func feedForward(
    _ hidden: Matrix, _ w: Workspace, _ tokens: Int, _ tap: some ActivationTap, _ context: TapContext
  ) throws {
    norm(hidden, weights.ffnNorm, into: w.normed, tokens)
    try tap.ffnInput(Activations(w.normed, tokens: tokens), context)

    if let split {
      let decidingInput = try input(w, tokens, isCopied: true) { try tap.decidingInput($0, context) }
      project(decidingInput, split.deciding, into: w.gate, tokens)
      let otherInput = try input(w, tokens, isCopied: tap.masksOtherInput) { try tap.otherInput($0, context) }
      project(otherInput, split.other, into: w.up, tokens)
      split.restore(w.gate, w.up, tokens: tokens)
    } else {
      project(w.normed, weights.gate, into: w.gate, tokens)
      project(w.normed, weights.up, into: w.up, tokens)
    }
    let count = tokens * configuration.intermediateSize
    switch configuration.gateActivation {
    case .silu: VectorMath.silu(w.gate.base, count: count)
    case .geluTanh: VectorMath.geluTanh(w.gate.base, count: count)
    }
    try tap.gateAndUp(Activations(w.gate, tokens: tokens), Activations(w.up, tokens: tokens), context)

    VectorMath.multiply(w.gate.base, w.up.base, into: w.product.base, count: count)
    try tap.product(Activations(w.product, tokens: tokens), context)
    add(w.product, weights.down, norm: weights.ffnPostNorm, to: hidden, w, tokens)
    try tap.layerOutput(Activations(hidden, tokens: tokens), context)
  }

  /// What one projection reads: the normed activations, or a copy of them that `mask` may write to. The copy lives until
  /// the next one is made.
  private func input(
    _ w: Workspace, _ tokens: Int, isCopied: Bool, _ mask: (Activations) throws -> Void
  ) rethrows -> Matrix {
    guard isCopied else { return w.normed }
    w.cutInput.base.update(from: w.normed.base, count: tokens * w.normed.columns)
    try mask(Activations(w.cutInput, tokens: tokens))
    return w.cutInput
  }

  private func norm(_ x: Matrix, _ weight: [Float], into out: Matrix, _ tokens: Int) {
    for token in 0..<tokens {
      VectorMath.rmsNorm(x.row(token), weight: weight, epsilon: configuration.normEpsilon, into: out.row(token))
    }
  }

  /// `out ← x · weightᵀ + bias`
  private func project(_ x: Matrix, _ weight: Matrix, bias: [Float]? = nil, into out: Matrix, _ tokens: Int) {
    MatrixProduct.multiply(x.view(rows: tokens), transposed: weight.view, into: out.view(rows: tokens))
    if let bias {
      for token in 0..<tokens { VectorMath.add(bias, to: out.row(token)) }
    }
  }

  /// `hidden ← hidden + x · weightᵀ`, the product normed first where the architecture does. Overwrites `w.normed` then.
  private func add(
    _ x: Matrix, _ weight: Matrix, norm postNorm: [Float]?, to hidden: Matrix, _ w: Workspace, _ tokens: Int
  ) {
    guard let postNorm else {
      return MatrixProduct.multiply(
        x.view(rows: tokens), transposed: weight.view, into: hidden.view(rows: tokens), accumulating: true)
    }
    project(x, weight, into: w.normed, tokens)
    norm(w.normed, postNorm, into: w.normed, tokens)
    VectorMath.add(w.normed.base, to: hidden.base, count: tokens * hidden.columns)
  }

  /// Norms each head where the architecture does, then turns it by its position.
  private func position(_ x: Matrix, heads: Int, norm: [Float]?, _ tokens: Int) {
    for token in 0..<tokens {
      let row = x.row(token)
      if let norm {
        for head in 0..<heads {
          let start = row + head * configuration.headDimension
          VectorMath.rmsNorm(start, weight: norm, epsilon: configuration.normEpsilon, into: start)
        }
      }
      rotary.rotate(row, heads: heads, position: layout.position(of: token))
    }
  }
}
