import Checkpoints

/// Which tensor lies where in a bundle's weights: the order, the names and the orientations.
///
/// What a runtime skips by input channel (query, output, down) has one row an input, `[inputs,
/// outputs]`, and a name that ends in `_t`; so have the rows that decide, where they leave out inputs
/// (``FactorRows``). Everything else is `[outputs, inputs]` as in Hugging Face
/// checkpoints. A dropped channel is then one contiguous run that is never read. Every tensor starts
/// at a multiple of 64 bytes; since safetensors files may have no holes, padding is tensors as well.
package struct BundleLayout: Sendable {
  package struct Entry: Sendable {
    package let tensor: ModelTensor
    package let name: String
    /// Weights as stored: `[rows, columns]`, or one dimension for norms and biases.
    package let shape: [Int]
    package let type: WeightType
    /// Rows and columns are exchanged with respect to Hugging Face's.
    let isTransposed: Bool
    /// Where its bytes lie in the decompressed file, row after row.
    package fileprivate(set) var byteRange = 0..<0

    /// The bytes of a row: its record, with the padding of a quantised one.
    package var rowBytes: Int { type.rowBytes(columns: shape.last ?? 0) }
  }

  package let entries: [Entry]
  let header: SafetensorsHeader

  static let alignment = 64
  static let paddingPrefix = "padding."

  /// - Parameter cutsInput: Whether deciding rows leave out inputs.
  init(
    _ configuration: ModelConfiguration, _ type: WeightType, cutsInput: Bool
  ) throws(SafetensorsError) {
    var entries = configuration.modelTensors.compactMap { tensor in
      configuration.shape(of: tensor).map {
        Entry(tensor, in: configuration.architecture, shape: $0, type.type(of: tensor), cutsInput: cutsInput)
      }
    }
    var descriptions: [SafetensorsHeader.Description] = []
    for entry in entries {
      descriptions.append(entry.type.description(named: entry.name, shape: entry.shape))
      let size = entry.shape.dropLast().reduce(entry.rowBytes, *)
      let padding = -size & (Self.alignment - 1)
      if padding > 0 {
        descriptions.append(.init(name: Self.paddingPrefix + entry.name, type: .u8, shape: [padding]))
      }
    }
    header = try SafetensorsHeader(placing: descriptions, metadata: ["format": "gambit-weights", "version": "1"])
    let start = header.encoded().count
    for index in entries.indices {
      guard let place = header.tensor(named: entries[index].name)?.byteRange else { continue }
      entries[index].byteRange = start + place.lowerBound..<start + place.upperBound
    }
    self.entries = entries
  }

  package func entry(of tensor: ModelTensor) -> Entry? { entries.first { $0.tensor == tensor } }
}

extension BundleLayout.Entry {
  fileprivate init(
    _ tensor: ModelTensor, in architecture: Architecture, shape: [Int], _ type: WeightType, cutsInput: Bool
  ) {
    self.tensor = tensor
    isTransposed = tensor.isSkippedByInput(cutsInput: cutsInput)
    name = tensor.storedName(in: architecture, cutsInput: cutsInput)
    self.shape = isTransposed ? shape.reversed() : shape
    self.type = type
  }
}

extension ModelTensor {
  /// Whether a runtime skips inputs of it, so that it is stored with one row an input.
  func isSkippedByInput(cutsInput: Bool) -> Bool {
    guard case .layer(_, let part) = self else { return false }
    return part == .query || part == .output || part == .down || (cutsInput && part == .gate)
  }

  /// Its name in a bundle.
  func storedName(in architecture: Architecture, cutsInput: Bool) -> String {
    var name = TensorNaming.huggingFace.name(of: self, in: architecture)
    if cutsInput, case .layer(_, let part) = self {
      // Their rows are no longer those of one projection.
      if part == .gate { name.replace("gate_proj", with: "deciding_proj") }
      if part == .up { name.replace("up_proj", with: "other_proj") }
    }
    return name + (isSkippedByInput(cutsInput: cutsInput) ? "_t" : "")
  }
}
