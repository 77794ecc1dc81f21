import Checkpoints

/// A bundle's decoder as an ONNX graph, with its key-value cache among inputs and outputs by the names that Hugging
/// Face's `optimum` knows. Outside of attention the positions of all sequences lie below one another as rows.
///
/// Values are those of `ReferenceDecoder`, for as many positions at a time as a run has.
struct DecoderGraph {
  typealias Value = GraphBuilder.Value

  let c: ModelConfiguration
  var graph: GraphBuilder
  let run: Run
  let weights: ExternalWeights
  let thresholds: [String: Value]  // by their names in `thresholds.safetensors`

  init(_ c: ModelConfiguration, _ weights: ExternalWeights, _ encoded: EncodedThresholds) {
    var graph = GraphBuilder()
    self.c = c
    self.weights = weights
    run = Run(c, &graph)
    for tensor in weights.tensors { graph.initializer(ONNXTensor(tensor)) }
    thresholds = Self.store(encoded, &graph)
    self.graph = graph
    build()
  }

  private mutating func build() {
    graph.scope = "model"
    var x = embeddings()  // [rows, hiddenSize]
    for layer in 0..<c.layerCount {
      graph.scope = "model.layers.\(layer)"
      x = graph.add(x, attention(layer, norm(x, .layer(layer, .attentionNorm))))
      x = graph.add(x, feedForward(layer, norm(x, .layer(layer, .ffnNorm))))
      x = addBias(layer, to: x)
    }
    graph.scope = "model"
    let logits = project(norm(x, .finalNorm), c.tiedEmbeddings ? .embeddings : .outputHead)
    _ = graph.reshape(logits, run.batchAndSequence, [c.vocabularySize], as: Run.logits)
  }

  /// `[rows, hiddenSize]`.
  private mutating func embeddings() -> Value {
    let rows = graph.rows(graph.reshape(run.tokens, [-1]), of: stored(.embeddings))
    return graph.multiply(inFloat32(rows, .embeddings), by: c.embeddingScale)
  }

  /// What an FFN adds to its input, `[rows, hiddenSize]`: `down(act(gate x) ⊙ up x)`.
  private mutating func feedForward(_ layer: Int, _ x: Value) -> Value {
    let (gate, up) = factors(
      layer, deciding: project(cut(x, .input, layer), .layer(layer, .gate)), other: project(x, .layer(layer, .up)))
    let activated = c.gateActivation == .silu ? graph.silu(gate) : graph.geluTanh(gate)
    let product = keptProduct(layer, activated, up)  // [rows, intermediateSize]
    return postNorm(project(product, .layer(layer, .down)), .layer(layer, .ffnPostNorm))
  }

  // MARK: Weights

  /// `W x + b` of each row; without the bias where the architecture has none.
  mutating func project(_ x: Value, _ matrix: ModelTensor, bias: ModelTensor? = nil) -> Value {
    let bias = bias.flatMap { c.shape(of: $0) == nil ? nil : stored($0) }
    return graph.project(x, inFloat32(stored(matrix), matrix), bias: bias)
  }

  mutating func norm(_ x: Value, _ part: ModelTensor) -> Value {
    graph.rmsNorm(x, stored(part), epsilon: c.normEpsilon)
  }

  /// The norm where the architecture has it.
  mutating func postNorm(_ x: Value, _ part: ModelTensor) -> Value {
    c.shape(of: part) == nil ? x : norm(x, part)
  }

  private func stored(_ part: ModelTensor) -> Value { Value(name: weights.name(of: part)) }

  private mutating func inFloat32(_ x: Value, _ part: ModelTensor) -> Value {
    weights.isFloat32(part) ? x : graph.cast(x, to: .float)
  }
}
