import Checkpoints
import ThresholdSolver

/// The bytes of weights that decoding one token reads: of every layer, of the output head, and one row of the
/// embedding.
///
///     let bytes = TokenBytes(bundle.configuration, .q4, shares: measured.shares, bundle.thresholds)
///     bytes.sparse / bytes.dense
///
/// Rows count as a bundle stores them, scales and padding included; norms and biases are float32. What deciding
/// itself reads counts on the sparse side: thresholds, sources and biases. The cache of keys and values is not part
/// of it: its bytes depend on the position, and no method here changes them.
public struct TokenBytes: Sendable, Equatable {
  public var dense: Double
  public var sparse: Double

  /// - Parameters:
  ///   - type: How the weights are stored; `f32` for a model that is in no bundle.
  ///   - shares: What each layer drops; none where every channel is kept.
  ///   - thresholds: Those that dropped it.
  public init(_ c: ModelConfiguration, _ type: WeightType, shares: [Thresholds.Shares], _ thresholds: Thresholds?) {
    if let planes = type.planes {
      self = Self(c, inPlanes: planes, shares: shares, thresholds)
      return
    }
    let cutsInput = thresholds.flatMap(FactorRows.init) != nil
    func bytes(_ tensor: ModelTensor) -> Double {
      guard let shape = c.shape(of: tensor) else { return 0 }
      let stored = tensor.isStoredByInput(type, cutsInput: cutsInput) ? shape.reversed() : shape
      return Double(stored.dropLast().reduce(type.rowBytes(of: tensor, columns: stored.last ?? 0), *))
    }
    let embeddingRow = Double(type.rowBytes(of: .embeddings, columns: c.hiddenSize))
    dense = bytes(c.tiedEmbeddings ? .embeddings : .outputHead) + embeddingRow + bytes(.finalNorm)
    var skipped = 0.0
    for index in 0..<c.layerCount {
      for part in LayerTensor.allCases {
        let size = bytes(.layer(index, part))
        dense += size
        if index < shares.count { skipped += size * shares[index].unread(part) }
      }
    }
    let deciding = shares.isEmpty ? 0 : thresholds?.layers.reduce(0) { $0 + $1.decidingBytes } ?? 0
    sparse = dense - skipped + Double(deciding)
  }
}

extension Thresholds.Shares {
  /// The share of a matrix' weights that is not read: the one place which says what each cut saves.
  package func unread(_ part: LayerTensor) -> Double {
    // A weight of which one plane is read counts as half of one.
    if full != nil { return 1 - planesRead(part) / 2 }
    return switch part {
    case .query: query ?? 0
    case .key: key ?? 0
    case .value: value ?? 0
    case .output: output ?? 0
    case .gate: input ?? 0
    // Of gate and up each channel's deciding row is read, the other one where the channel is kept: together they
    // lose as much as one of them would.
    // With inputs left out as well, of the rows that are read; reckoned as if the two were independent.
    case .up: ffn + (1 - ffn) * (otherInput ?? 0)
    case .down: down ?? ffn
    default: 0
    }
  }
}

extension Thresholds.Layer {
  /// What a token reads to decide: float32 thresholds and biases, a byte for each channel's source.
  fileprivate var decidingBytes: Int {
    // Where other rows have input thresholds of their own no factor decides: those on factors are all 0.
    let factors = otherInput == nil ? ffn : nil
    let floats = [factors, query, key, value, output, product, input, otherInput, bias]
      .reduce(0) { $0 + ($1?.count ?? 0) }
    return MemoryLayout<Float>.size * floats + (upDecides?.count ?? 0)
  }
}
