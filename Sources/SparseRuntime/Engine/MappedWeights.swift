import Checkpoints
import SparseBundle
import SparseKernels

/// A bundle's unpacked weights as kernels read them: nothing is copied but vectors.
final class MappedWeights: Sendable {
  private let weights: UnpackedWeights

  init(_ weights: UnpackedWeights) { self.weights = weights }

  /// As stored: with one row an input where inputs can be skipped. Valid while this object is alive.
  ///
  /// - Parameters:
  ///   - plane: Of weights in planes, which one.
  ///   - high: Of their low plane the high one.
  func matrix(_ tensor: ModelTensor, _ plane: WeightPlane? = nil, high: WeightMatrix? = nil) throws -> WeightMatrix {
    guard let found = weights.tensor(tensor, plane: plane), found.entry.shape.count == 2,
      let matrix = WeightMatrix(
        found.bytes, rows: found.entry.shape[0], columns: found.entry.shape[1], type: ElementType(found.entry.format),
        high: high)
    else { throw missing }
    return matrix
  }

  /// A norm's or bias' values; `nil` where a model of this kind has none.
  func vector(_ tensor: ModelTensor) throws -> [Float]? {
    guard weights.configuration.shape(of: tensor) != nil else { return nil }
    guard let found = weights.tensor(tensor), found.entry.format == .f32 else { throw missing }
    return (0..<found.bytes.count / 4).map {
      Float(bitPattern: UInt32(littleEndian: found.bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
    }
  }

  private var missing: BundleError {
    .malformed(file: BundleFile.weights, reason: "it does not hold a tensor that the model needs")
  }
}

extension ElementType {
  init(_ format: RowFormat) {
    switch format {
    case .f32: self = .float32
    case .f16: self = .float16
    case .bf16: self = .bfloat16
    case .int8: self = .int8
    case .q4: self = .q4
    case .highNibbles: self = .highNibbles
    case .lowNibbles: self = .lowNibbles
    case .highBytes: self = .highBytes
    case .lowBytes: self = .lowBytes
    }
  }
}

extension ActivationPrecision {
  /// What a bundle's manifest asks for.
  package init(_ activations: BundleManifest.Weights.Activations) {
    switch activations {
    case .exact: self = .exact
    case .int8: self = .int8
    }
  }
}
