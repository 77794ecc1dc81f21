import Checkpoints
import LinearAlgebra

/// One layer of a decoder: attention and gated FFN, each added to the residual stream.
struct DecoderLayer {
  let configuration: ModelConfiguration
  let index: Int
  let weights: LayerWeights
  /// The high planes of the same weights; `nil` where nothing is graded.
  let high: LayerWeights?
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

    let masksKeyAndValue = tap.masksKeyAndValueInputs
    try project(.query, \.query, bias: weights.queryBias, into: w.query, w, tokens, tap, context) {
      try input(w, tokens, isCopied: tap.masksQueryInput) { try tap.queryInput($0, context) }
    }
    try project(.key, \.key, bias: weights.keyBias, into: w.key, w, tokens, tap, context) {
      try input(w, tokens, isCopied: masksKeyAndValue) { try tap.keyInput($0, context) }
    }
    try project(.value, \.value, bias: weights.valueBias, into: w.value, w, tokens, tap, context) {
      try input(w, tokens, isCopied: masksKeyAndValue) { try tap.valueInput($0, context) }
    }
    position(w.query, heads: configuration.headCount, norm: weights.queryNorm, tokens)
    position(w.key, heads: configuration.keyValueHeadCount, norm: weights.keyNorm, tokens)
    try tap.keysAndValues(Activations(w.key, tokens: tokens), Activations(w.value, tokens: tokens), context)

    Attention(configuration: configuration, layer: index)(w, layout)
    if let high, let half = w.half, tap.gradedInputs.contains(.output) {
      half.mixed.base.update(repeating: 0, count: tokens * half.mixed.columns)
      try tap.gradedInput(
        Activations(w.mixed, tokens: tokens), half: Activations(half.mixed, tokens: tokens), at: .output, context)
      add(
        w.mixed, weights.output, half: (half.mixed, high.output), norm: weights.attentionPostNorm, to: hidden, w, tokens
      )
    } else {
      try tap.outputInput(Activations(w.mixed, tokens: tokens), context)
      add(w.mixed, weights.output, norm: weights.attentionPostNorm, to: hidden, w, tokens)
    }
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
    activate(w.gate, tokens)
    try tap.gateAndUp(Activations(w.gate, tokens: tokens), Activations(w.up, tokens: tokens), context)

    let count = tokens * configuration.intermediateSize
    VectorMath.multiply(w.gate.base, w.up.base, into: w.product.base, count: count)
    let product = Activations(w.product, tokens: tokens)
    var half: (Matrix, Matrix)?
    if let high, let space = w.half, tap.gradesProducts {
      let offsets = tap.planeOffsets(layer: index)
      project(w.normed, high.gate, bias: offsets?.gate, into: space.product, tokens)
      project(w.normed, high.up, bias: offsets?.up, into: space.up, tokens)
      activate(space.product, tokens)
      VectorMath.multiply(space.product.base, space.up.base, into: space.product.base, count: count)
      if try tap.gradedProduct(product, half: Activations(space.product, tokens: tokens), context) {
        half = (space.product, high.down)
      }
    } else {
      try tap.product(product, context)
    }
    add(w.product, weights.down, half: half, norm: weights.ffnPostNorm, to: hidden, w, tokens)
    try tap.layerOutput(Activations(hidden, tokens: tokens), context)
  }

  private func activate(_ gate: Matrix, _ tokens: Int) {
    let count = tokens * gate.columns
    switch configuration.gateActivation {
    case .silu: VectorMath.silu(gate.base, count: count)
    case .geluTanh: VectorMath.geluTanh(gate.base, count: count)
    }
  }

  /// A projection of the normed activations: of what `input` hands out, or, where the tap grades it, of the inputs that
  /// read all bits of their weights and of those that read their high planes.
  private func project(
    _ place: GradedInput, _ weight: KeyPath<LayerWeights, Matrix>, bias: [Float]?, into out: Matrix, _ w: Workspace,
    _ tokens: Int, _ tap: some ActivationTap, _ context: TapContext, _ input: () throws -> Matrix
  ) throws {
    guard let high, let half = w.half?.input, tap.gradedInputs.contains(place) else {
      return project(try input(), weights[keyPath: weight], bias: bias, into: out, tokens)
    }
    half.base.update(repeating: 0, count: tokens * half.columns)
    let full = try self.input(w, tokens, isCopied: true) {
      try tap.gradedInput($0, half: Activations(half, tokens: tokens), at: place, context)
    }
    project(full, weights[keyPath: weight], bias: bias, into: out, tokens)
    MatrixProduct.multiply(
      half.view(rows: tokens), transposed: high[keyPath: weight].view, into: out.view(rows: tokens), accumulating: true)
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
  ///
  /// - Parameter half: More inputs, and the weights that those are multiplied with.
  private func add(
    _ x: Matrix, _ weight: Matrix, half: (x: Matrix, weight: Matrix)? = nil, norm postNorm: [Float]?, to hidden: Matrix,
    _ w: Workspace, _ tokens: Int
  ) {
    let sum = postNorm == nil ? hidden : w.normed
    MatrixProduct.multiply(
      x.view(rows: tokens), transposed: weight.view, into: sum.view(rows: tokens), accumulating: postNorm == nil)
    if let half {
      MatrixProduct.multiply(
        half.x.view(rows: tokens), transposed: half.weight.view, into: sum.view(rows: tokens), accumulating: true)
    }
    guard let postNorm else { return }
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
