import Checkpoints
import ThresholdSolver

extension TokenBytes {
  /// The same of weights in two planes, of which each channel and input reads as much as its grade says. The dense figure
  /// is of both planes of everything.
  ///
  /// - Parameters:
  ///   - shares: What each layer drops and reads whole; none where everything is read whole.
  ///   - thresholds: Those that decided it.
  public init(
    _ c: ModelConfiguration, inPlanes format: PlaneFormat, shares: [Thresholds.Shares], _ thresholds: Thresholds?
  ) {
    let type = WeightType(format)
    func plane(_ tensor: ModelTensor) -> Double {
      guard let shape = c.shape(of: tensor) else { return 0 }
      let stored = tensor.isStoredByInput(type, cutsInput: false) ? shape.reversed() : shape
      return Double(stored[0] * type.rowBytes(of: tensor, columns: stored[1]) / 2)
    }
    func floats(_ tensor: ModelTensor) -> Double { Double(4 * (c.shape(of: tensor)?.reduce(1, *) ?? 0)) }
    let head = plane(c.tiedEmbeddings ? .embeddings : .outputHead)
    dense = 2 * head + floats(.finalNorm)
    dense += Double(type.rowBytes(of: .embeddings, columns: c.hiddenSize))
    sparse = dense - head * (1 - (shares.first?.fullHead ?? 1))
    for index in 0..<c.layerCount {
      for part in LayerTensor.allCases {
        let tensor = ModelTensor.layer(index, part)
        guard part.isMatrix else {
          dense += floats(tensor)
          sparse += floats(tensor)
          continue
        }
        let (size, read) = (plane(tensor), index < shares.count ? shares[index].planesRead(part) : 2)
        dense += 2 * size
        sparse += read * size
      }
    }
    guard !shares.isEmpty, let thresholds else { return }
    sparse += Double(thresholds.layers.reduce(0) { $0 + $1.gradingBytes })
    sparse += Double(MemoryLayout<Float>.size * (thresholds.headOffsets?.count ?? 0))
  }
}

extension Thresholds.Shares {
  /// How many of a matrix' two planes are read, on the mean: the one place which says what each grade reads.
  package func planesRead(_ part: LayerTensor) -> Double {
    func graded(_ place: Thresholds.Place) -> Double {
      guard let full = full?[place], let dropped = self[place] else { return 2 }
      return 1 - dropped + full
    }
    return switch part {
    // The high planes of both rows make the score, and only channels that are read whole need the low ones.
    case .gate, .up: 1 + (full?.ffn ?? 1)
    case .down: graded(.ffn)
    case .query: graded(.query)
    case .key: graded(.key)
    case .value: graded(.value)
    case .output: graded(.output)
    default: 2
    }
  }
}

extension Thresholds.Layer {
  /// The thresholds and offsets that a token reads, float32.
  fileprivate var gradingBytes: Int {
    let both = Thresholds.Place.allCases.map { (self[$0]?.count ?? 0) + (full?[$0]?.count ?? 0) }
    let added = offsets.map { $0.gate.count + $0.up.count } ?? 0
    return MemoryLayout<Float>.size * (both.reduce(0, +) + added)
  }
}
