import Checkpoints

extension DecoderGraph {
  /// What attention adds to its input, `[rows, hiddenSize]`. Heads that share a key and a value read the same one.
  mutating func attention(_ layer: Int, _ x: Value) -> Value {
    let (group, names) = (c.headCount / c.keyValueHeadCount, Run.present(layer: layer))
    let query = heads(
      project(cut(x, .query, layer), .layer(layer, .query), bias: .layer(layer, .queryBias)), c.headCount,
      norm: .layer(layer, .queryNorm), layer)
    let key = heads(
      project(x, .layer(layer, .key), bias: .layer(layer, .keyBias)), c.keyValueHeadCount,
      norm: .layer(layer, .keyNorm), layer)
    let value = split(
      project(x, .layer(layer, .value), bias: .layer(layer, .valueBias)), [c.keyValueHeadCount, c.headDimension])
    let keys = remember(key, behind: run.past[layer].keys, as: names[0])
    let values = remember(value, behind: run.past[layer].values, as: names[1])

    // [batch, keyValueHeadCount, group, sequence, headDimension]
    let queries = graph.transpose(
      split(query, [c.keyValueHeadCount, group, c.headDimension]), [0, 2, 3, 1, 4])
    let scores = graph.multiply(
      graph.node(.matMul, [queries, graph.transpose(graph.unsqueeze(keys, [2]), [0, 1, 2, 4, 3])]),
      by: c.attentionScale)  // [batch, keyValueHeadCount, group, sequence, total]
    let shares = graph.softmax(graph.add(scores, run.masks[layer]))
    let read = graph.node(.matMul, [shares, graph.unsqueeze(values, [2])])
    let mixed = graph.reshape(graph.transpose(read, [0, 3, 1, 2, 4]), [-1, c.queryWidth])  // [rows, queryWidth]
    return postNorm(project(cut(mixed, .output, layer), .layer(layer, .output)), .layer(layer, .attentionPostNorm))
  }

  /// Norms each head where the architecture does, then turns it by its position:
  /// `[batch, sequence, count, headDimension]`.
  private mutating func heads(_ x: Value, _ count: Int, norm: ModelTensor, _ layer: Int) -> Value {
    let rotation = run.rotations[layer]
    let (a, b) = graph.halves(postNorm(split(x, [count, c.headDimension]), norm))
    let turned = [
      graph.subtract(graph.multiply(a, rotation.cosines), graph.multiply(b, rotation.sines)),
      graph.add(graph.multiply(b, rotation.cosines), graph.multiply(a, rotation.sines)),
    ]
    return graph.concatenate(turned, axis: -1)
  }

  /// Rows as what they are of: `[batch, sequence] + shape`.
  private mutating func split(_ x: Value, _ shape: [Int]) -> Value { graph.reshape(x, run.batchAndSequence, shape) }

  /// `[batch, keyValueHeadCount, total, headDimension]`.
  private mutating func remember(_ x: Value, behind past: Value, as name: String) -> Value {
    graph.concatenate([past, graph.transpose(x, [0, 2, 1, 3])], axis: 2, as: name)
  }
}
