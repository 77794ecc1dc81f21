/// The tensors of a decoder, whatever a file calls them.
package enum ModelTensor: Hashable, Sendable {
  case embeddings
  case finalNorm
  case outputHead
  case layer(Int, LayerTensor)
}

/// The tensors of one decoder layer.
package enum LayerTensor: CaseIterable, Sendable {
  case attentionNorm, query, key, value, output
  case queryBias, keyBias, valueBias, queryNorm, keyNorm
  case attentionPostNorm
  case ffnNorm, gate, up, down
  case ffnPostNorm
}

extension ModelConfiguration {
  /// Outermost dimension first; `nil` where a model of this configuration has no such tensor.
  package func shape(of tensor: ModelTensor) -> [Int]? {
    switch tensor {
    case .embeddings: [vocabularySize, hiddenSize]
    case .finalNorm: [hiddenSize]
    case .outputHead: tiedEmbeddings ? nil : [vocabularySize, hiddenSize]
    case .layer(_, let part): shape(of: part)
    }
  }

  private func shape(of part: LayerTensor) -> [Int]? {
    switch part {
    case .attentionNorm, .ffnNorm: [hiddenSize]
    case .attentionPostNorm, .ffnPostNorm: hasPostNorms ? [hiddenSize] : nil
    case .query: [queryWidth, hiddenSize]
    case .key, .value: [keyValueWidth, hiddenSize]
    case .output: [hiddenSize, queryWidth]
    case .queryBias: hasAttentionBias ? [queryWidth] : nil
    case .keyBias, .valueBias: hasAttentionBias ? [keyValueWidth] : nil
    case .queryNorm, .keyNorm: hasQueryKeyNorm ? [headDimension] : nil
    case .gate, .up: [intermediateSize, hiddenSize]
    case .down: [hiddenSize, intermediateSize]
    }
  }

  /// Each tensor of the model once. Complexity: O(`layerCount`).
  package var modelTensors: [ModelTensor] {
    let layers = (0..<layerCount).flatMap { layer in LayerTensor.allCases.map { ModelTensor.layer(layer, $0) } }
    return ([.embeddings] + layers + [.finalNorm, .outputHead]).filter { shape(of: $0) != nil }
  }

  /// The number of weights, each counted once: a tied head is the embedding matrix.
  public var parameterCount: Int {
    modelTensors.compactMap(shape(of:)).reduce(0) { $0 + $1.reduce(1, *) }
  }

  /// The same of one layer.
  var layerParameterCount: Int {
    LayerTensor.allCases.compactMap(shape(of:)).reduce(0) { $0 + $1.reduce(1, *) }
  }
}
