import Checkpoints

// What is dropped is zeros: products with it are computed all the same.
extension DecoderGraph {
  /// Where thresholds cut, by what `thresholds.safetensors` calls them.
  enum Cut: String {
    case ffn = "ffn.threshold"
    case product = "ffn.product_threshold"
    case input = "ffn.input_threshold"
    case query = "attention.query_threshold"
    case output = "attention.output_threshold"
  }

  private static let source = "ffn.source"
  private static let bias = "ffn.bias"

  /// Puts them into the graph by the names of that file.
  static func store(_ encoded: EncodedThresholds, _ graph: inout GraphBuilder) -> [String: Value] {
    var values: [String: Value] = [:]
    for tensor in encoded.tensors {
      values[tensor.name] = graph.initializer(
        ONNXTensor(name: tensor.name, tensor.type == .u8 ? .bool : .float, tensor.shape, bytes: tensor.bytes))
    }
    return values
  }

  private func threshold(_ name: String, _ layer: Int) -> Value? { thresholds["layers.\(layer).\(name)"] }

  /// Zeros in place of what is below its threshold; all of `x` where the place has none.
  ///
  /// - Parameter deciding: What is compared; `x` itself unless given.
  mutating func cut(_ x: Value, _ place: Cut, _ layer: Int, by deciding: Value? = nil) -> Value {
    guard let threshold = threshold(place.rawValue, layer) else { return x }
    let reached = graph.node(.greaterOrEqual, [graph.node(.abs, [deciding ?? x]), threshold])
    return graph.select(graph.node(.or, [reached, run.dense]), x, else: graph.constant(0.0))
  }

  /// Gate and up projections' outputs, from what deciding rows and the other ones give.
  mutating func factors(_ layer: Int, deciding: Value, other: Value) -> (gate: Value, up: Value) {
    guard weights.exchanges, let upDecides = threshold(Self.source, layer) else { return (deciding, other) }
    return (graph.select(upDecides, other, else: deciding), graph.select(upDecides, deciding, else: other))
  }

  /// `act(gate x) ⊙ up x` of the channels that are kept.
  mutating func keptProduct(_ layer: Int, _ gate: Value, _ up: Value) -> Value {
    let deciding = threshold(Self.source, layer).map { graph.select($0, up, else: gate) } ?? gate
    return cut(cut(graph.multiply(gate, up), .ffn, layer, by: deciding), .product, layer)
  }

  mutating func addBias(_ layer: Int, to x: Value) -> Value {
    guard let bias = threshold(Self.bias, layer) else { return x }
    return graph.add(x, graph.select(run.sparse, bias, else: graph.constant(0.0)))
  }
}
