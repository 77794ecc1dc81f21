import Checkpoints

/// Which tensor lies where in a bundle's weights: the order, the names and the orientations.
///
/// What a runtime skips by input channel (query, output, down) has one row an input, `[inputs,
/// outputs]`, and a name that ends in `_t`; everything else is `[outputs, inputs]` as in Hugging Face
/// checkpoints. A dropped channel is then one contiguous run that is never read. Every tensor starts
/// at a multiple of 64 bytes; since safetensors files may have no holes, padding is tensors as well.
package struct BundleLayout: Sendable {
  package struct Entry: Sendable {
    package let tensor: ModelTensor
    package let name: String
    /// As stored.
    package let shape: [Int]
    package let type: WeightType
    /// Rows and columns are exchanged with respect to Hugging Face's.
    let isTransposed: Bool
  }

  let entries: [Entry]
  let header: SafetensorsHeader

  static let alignment = 64
  static let paddingPrefix = "padding."

  init(_ configuration: ModelConfiguration, _ type: WeightType) throws(SafetensorsError) {
    entries = configuration.modelTensors.compactMap { tensor in
      configuration.shape(of: tensor).map { Entry(tensor, shape: $0, type) }
    }
    var descriptions: [SafetensorsHeader.Description] = []
    for entry in entries {
      descriptions.append(.init(name: entry.name, type: entry.type.safetensorsType, shape: entry.shape))
      let size = entry.shape.reduce(entry.type.safetensorsType.size, *)
      let padding = -size & (Self.alignment - 1)
      if padding > 0 {
        descriptions.append(.init(name: Self.paddingPrefix + entry.name, type: .u8, shape: [padding]))
      }
    }
    header = try SafetensorsHeader(placing: descriptions, metadata: ["format": "gambit-weights", "version": "1"])
  }

  func entry(of tensor: ModelTensor) -> Entry? { entries.first { $0.tensor == tensor } }
}

extension BundleLayout.Entry {
  fileprivate init(_ tensor: ModelTensor, shape: [Int], _ type: WeightType) {
    self.tensor = tensor
    isTransposed = tensor.isSkippedByInput
    name = TensorNaming.huggingFace.name(of: tensor) + (isTransposed ? "_t" : "")
    self.shape = isTransposed ? shape.reversed() : shape
    self.type = shape.count == 1 ? .f32 : type
  }
}

extension ModelTensor {
  fileprivate var isSkippedByInput: Bool {
    guard case .layer(_, let part) = self else { return false }
    return part == .query || part == .output || part == .down
  }
}
