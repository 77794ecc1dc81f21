import Checkpoints

extension DecoderGraph {
  /// What a run of the graph is given and gives, and what all its layers share.
  struct Run {
    /// By what the heads of a position are turned: `[batch, sequence, 1, headDimension / 2]`.
    struct Rotation {
      let cosines: Value
      let sines: Value
    }

    /// What a layer remembers: `[batch, keyValueHeadCount, positions, headDimension]`.
    struct Cache {
      let keys: Value
      let values: Value
    }

    static let logits = "logits"

    let tokens: Value  // [batch, sequence]
    let batchAndSequence: Value  // both sizes
    /// Whether thresholds act: true unless given.
    let sparse: Value
    let dense: Value
    /// What each layer is given of positions before.
    let past: [Cache]
    /// By layer.
    let rotations: [Rotation]
    /// What is added to a layer's scores, `[batch, 1, 1, sequence, total]`: nothing where a position is looked at, and
    /// else so little that nothing is left of it.
    let masks: [Value]

    init(_ c: ModelConfiguration, _ graph: inout GraphBuilder) {
      let (batch, sequence) = (ONNXShape.Dimension.named("batch_size"), ONNXShape.Dimension.named("sequence_length"))
      let total = ONNXShape.Dimension.named("total_sequence_length")
      func cache(_ length: ONNXShape.Dimension) -> [ONNXShape.Dimension] {
        [batch, .fixed(c.keyValueHeadCount), length, .fixed(c.headDimension)]
      }
      tokens = graph.input("input_ids", .int64, [batch, sequence])
      let attended = graph.input("attention_mask", .int64, [batch, total])
      let positions = graph.input("position_ids", .int64, [batch, sequence])
      past = (0..<c.layerCount).map { layer in
        let length = cache(.named("past_sequence_length"))
        return Cache(
          keys: graph.input("past_key_values.\(layer).key", .float, length),
          values: graph.input("past_key_values.\(layer).value", .float, length))
      }
      sparse = graph.input("sparse", .bool, [])
      graph.initializer(ONNXTensor(name: sparse.name, .bool, [], bytes: [1]))
      graph.output(Self.logits, .float, [batch, sequence, .fixed(c.vocabularySize)])
      for layer in 0..<c.layerCount {
        for name in Self.present(layer: layer) { graph.output(name, .float, cache(total)) }
      }

      graph.scope = "run"
      dense = graph.node(.not, [sparse])
      batchAndSequence = graph.shape(tokens)
      let rotation = Self.rotation(by: c.rotaryFrequencies(), positions, &graph)
      let local = c.localRopeBase.map { _ in Self.rotation(by: c.rotaryFrequencies(local: true), positions, &graph) }
      rotations = (0..<c.layerCount).map { c.isLocal(layer: $0) ? local ?? rotation : rotation }

      let windows = (0..<c.layerCount).map(c.slidingWindow)
      var masks: [Int?: Value] = [:]
      for window in windows where masks[window] == nil {
        masks[window] = Self.mask(window: window, attended, tokens, &graph)
      }
      self.masks = windows.compactMap { masks[$0] }
    }

    /// What a layer's keys and values leave as.
    static func present(layer: Int) -> [String] { ["key", "value"].map { "present.\(layer).\($0)" } }

    /// Angles are products of float32 numbers, as in the reference implementations.
    private static func rotation(
      by frequencies: [Float], _ positions: Value, _ graph: inout GraphBuilder
    ) -> Rotation {
      let position = graph.unsqueeze(graph.cast(positions, to: .float), [2, 3])  // [batch, sequence, 1, 1]
      let angles = graph.multiply(position, graph.constant(frequencies))
      return Rotation(cosines: graph.node(.cos, [angles]), sines: graph.node(.sin, [angles]))
    }

    /// A token looks back at itself and at what is before it in its row, over `window` tokens in all, where
    /// `attention_mask` has a one: padding has zeros there.
    private static func mask(
      window: Int?, _ attended: Value, _ tokens: Value, _ graph: inout GraphBuilder
    ) -> Value {
      let (zero, one) = (graph.constant(0), graph.constant(1))
      let total = graph.size(attended, axis: 1)
      let first = graph.subtract(total, graph.size(tokens, axis: 1))
      let from = graph.unsqueeze(graph.node(.range, [first, total, one]), [1])  // [sequence, 1]
      let back = graph.subtract(from, graph.node(.range, [zero, total, one]))  // [sequence, total]
      var seen = graph.node(.greaterOrEqual, [back, zero])
      if let window { seen = graph.node(.and, [seen, graph.node(.less, [back, graph.constant(window)])]) }
      seen = graph.node(.and, [seen, graph.unsqueeze(graph.cast(attended, to: .bool), [1, 2, 3])])
      // Finite, so that a row of padding, which looks at nothing, is no number divided by zero.
      return graph.select(seen, graph.constant(0.0), else: graph.constant(-Float.greatestFiniteMagnitude))
    }
  }
}
