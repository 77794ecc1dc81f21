import Checkpoints

/// How a bundle stores its projections, embeddings and output head. Norms and biases are always float32.
public enum WeightType: String, Sendable, Codable, CaseIterable {
  case f32
  case f16
  case bf16
  /// Codes of 8 bits, a scale for each 32 weights.
  case int8
  /// Codes of 4 bits, a scale and a minimum for each 32 weights; embeddings and output head are int8.
  case q4
}

extension WeightType {
  /// Whether weights are integer codes with a scale for each group of a row.
  public var isQuantized: Bool { self == .int8 || self == .q4 }

  /// The type of one tensor in a bundle of this type.
  func type(of tensor: ModelTensor) -> WeightType {
    switch tensor {
    case .embeddings, .outputHead: self == .q4 ? .int8 : self
    case .finalNorm: .f32
    case .layer(_, let part): part.isMatrix ? self : .f32
    }
  }

  /// Size of the record of a row, in bytes: rows lie one after the other, each in a record of its own.
  package func rowBytes(columns: Int) -> Int {
    switch self {
    case .f32: 4 * columns
    case .f16, .bf16: 2 * columns
    case .int8: Int8Record.size(columns: columns)
    case .q4: Q4Record.size(columns: columns)
    }
  }

  /// What a tensor of `shape` is in a safetensors file: records are bytes to it.
  func description(named name: String, shape: [Int]) -> SafetensorsHeader.Description {
    switch self {
    case .f32: .init(name: name, type: .f32, shape: shape)
    case .f16: .init(name: name, type: .f16, shape: shape)
    case .bf16: .init(name: name, type: .bf16, shape: shape)
    case .int8, .q4:
      .init(name: name, type: .u8, shape: shape.dropLast() + [rowBytes(columns: shape.last ?? 0)])
    }
  }
}

extension LayerTensor {
  var isMatrix: Bool {
    switch self {
    case .query, .key, .value, .output, .gate, .up, .down: true
    case .attentionNorm, .queryBias, .keyBias, .valueBias, .queryNorm, .keyNorm: false
    case .attentionPostNorm, .ffnNorm, .ffnPostNorm: false
    }
  }
}
