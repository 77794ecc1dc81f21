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
  /// The codes of int8 in two planes of 4 bits, each a tensor of its own, so that a token can read as many bits of a
  /// channel as it needs.
  case int8Planes = "int8-planes"
  /// The same of f16, in two planes of 8 bits.
  case f16Planes = "f16-planes"
}

extension WeightType {
  /// Whether weights are integer codes with a scale for each group of a row.
  public var isQuantized: Bool { self == .int8 || self == .q4 || self == .int8Planes }

  /// Whether runtimes may round activations to 8 bits, to multiply them with the codes in integers.
  public var allowsRoundedActivations: Bool { isQuantized }

  /// How weights lie in planes; `nil` where each is in one piece.
  public var planes: PlaneFormat? { PlaneFormat(rawValue: rawValue) }

  /// Whether thresholds grade the weights, by the high plane of each.
  public var isInPlanes: Bool { planes != nil }

  public init(_ planes: PlaneFormat) {
    switch planes {
    case .int8: self = .int8Planes
    case .f16: self = .f16Planes
    }
  }

  /// How one tensor is stored in a bundle of this type: in one format, or in two whose values add up to the weights.
  package func formats(of tensor: ModelTensor) -> [RowFormat] {
    guard tensor.isMatrix else { return [.f32] }
    return switch self {
    case .f32: [.f32]
    case .f16: [.f16]
    case .bf16: [.bf16]
    case .int8: [.int8]
    case .q4: [tensor.isInLayer ? .q4 : .int8]
    case .int8Planes: [.highNibbles, .lowNibbles]
    case .f16Planes: [.highBytes, .lowBytes]
    }
  }

  /// The bytes of a row, over all formats of its tensor.
  func rowBytes(of tensor: ModelTensor, columns: Int) -> Int {
    formats(of: tensor).reduce(0) { $0 + $1.rowBytes(columns: columns) }
  }
}

extension ModelTensor {
  var isMatrix: Bool {
    switch self {
    case .embeddings, .outputHead: true
    case .finalNorm: false
    case .layer(_, let part): part.isMatrix
    }
  }

  fileprivate var isInLayer: Bool { if case .layer = self { true } else { false } }
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
