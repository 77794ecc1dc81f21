import Checkpoints

/// Which tensor lies where in a bundle's weights: the order, the names and the orientations.
///
/// What a runtime skips by input channel has one row an input, `[inputs, outputs]`, and a name that ends in `_t`: query,
/// output, down, the rows that decide where they leave out inputs (``FactorRows``), and of weights in planes all of
/// attention. Everything else is `[outputs, inputs]` as in Hugging Face checkpoints. A dropped channel is then one
/// contiguous run that is never read. Every tensor starts at a multiple of 64 bytes; since safetensors files may have no
/// holes, padding is tensors as well.
package struct BundleLayout: Sendable {
  /// One tensor as it is stored.
  package struct Entry: Sendable {
    /// Whose rows it holds: of one of the model's tensors, or of two of one shape that take turns, row by row.
    package let tensors: [ModelTensor]
    package let name: String
    /// Weights as stored: `[rows, columns]`, or one dimension for norms and biases.
    package fileprivate(set) var shape: [Int]
    package let format: RowFormat
    /// Rows and columns are exchanged with respect to Hugging Face's.
    package let isTransposed: Bool
    /// Where its bytes lie in the decompressed file, row after row.
    package fileprivate(set) var byteRange = 0..<0

    /// The bytes of a row: its record, with its padding where it has any.
    package var rowBytes: Int { format.rowBytes(columns: columns) }
    package var rows: Int { shape.dropLast().reduce(1, *) }
    package var columns: Int { shape.last ?? 0 }

    /// Some rows of each of its tensors, as an entry of their own; of a vector, itself.
    func part(_ rows: Range<Int>) -> Entry {
      guard shape.count > 1 else { return self }
      let step = tensors.count * rowBytes
      var part = self
      part.shape[0] = rows.count * tensors.count
      part.byteRange =
        byteRange.lowerBound + rows.lowerBound * step..<byteRange.lowerBound + rows.upperBound * step
      return part
    }

    /// The rows of each of its tensors, as many at a time as make some megabytes: what of a large tensor is unpacked at
    /// once. Several frames, since those at the ends are unpacked twice.
    func blocks(bytes: Int = 32 << 20) -> [Range<Int>] {
      let (rows, size) = (rows / tensors.count, max(1, bytes / (tensors.count * rowBytes)))
      return stride(from: 0, to: rows, by: size).map { $0..<min($0 + size, rows) }
    }
  }

  /// In order. Planes of the same weights follow each other.
  package let entries: [Entry]
  let header: SafetensorsHeader

  static let alignment = 64
  static let paddingPrefix = "padding."

  /// - Parameter cutsInput: Whether deciding rows leave out inputs.
  package init(
    _ configuration: ModelConfiguration, _ type: WeightType, cutsInput: Bool
  ) throws(SafetensorsError) {
    let shared = configuration.modelTensors.compactMap { $0.sharesRows(type) }
    var entries = shared.flatMap { tensors in
      type.formats(of: tensors[0]).map {
        Entry(tensors, in: configuration, type, $0, cutsInput: cutsInput)
      }
    }
    var descriptions: [SafetensorsHeader.Description] = []
    for entry in entries {
      descriptions.append(entry.format.description(named: entry.name, shape: entry.shape))
      let padding = -(entry.rows * entry.rowBytes) & (Self.alignment - 1)
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

  /// What holds a tensor of the model, in the order in which it is stored: one entry, or its two planes.
  ///
  /// - Parameter plane: Of weights in planes, one alone.
  package func entries(of tensor: ModelTensor, plane: WeightPlane? = nil) -> [Entry] {
    entries.filter { $0.tensors.contains(tensor) && (plane == nil || $0.format.plane ?? plane == plane) }
  }

  /// Entries that hold the same weights, together.
  var groups: [[Entry]] {
    entries.reduce(into: []) { groups, entry in
      if groups.last?.last?.tensors == entry.tensors {
        groups[groups.count - 1].append(entry)
      } else {
        groups.append([entry])
      }
    }
  }
}

extension BundleLayout.Entry {
  fileprivate init(
    _ tensors: [ModelTensor], in configuration: ModelConfiguration, _ type: WeightType, _ format: RowFormat,
    cutsInput: Bool
  ) {
    let shape = configuration.shape(of: tensors[0]) ?? []
    isTransposed = tensors[0].isStoredByInput(type, cutsInput: cutsInput)
    var stored: [Int] = isTransposed ? shape.reversed() : shape
    stored[0] *= tensors.count
    self.tensors = tensors
    self.shape = stored
    self.format = format
    var name = tensors[0].storedName(in: configuration.architecture, type, cutsInput: cutsInput)
    if tensors.count > 1 { name.replace("gate_proj", with: "gate_up_proj") }
    if let plane = format.plane { name.replace(".weight", with: ".\(plane.rawValue)") }
    self.name = name
  }
}

extension ModelTensor {
  /// The tensors that are stored in this one's rows, itself first; `nil` where it is stored in another's.
  ///
  /// Gate and up projections in planes are always read together, at least their high planes: their rows take turns, so
  /// that a runtime reads one run of bytes.
  fileprivate func sharesRows(_ type: WeightType) -> [ModelTensor]? {
    guard type.isInPlanes, case .layer(let index, let part) = self else { return [self] }
    return part == .up ? nil : part == .gate ? [self, .layer(index, .up)] : [self]
  }

  /// Whether a runtime skips inputs of it, so that it is stored with one row an input.
  func isStoredByInput(_ type: WeightType, cutsInput: Bool) -> Bool {
    guard case .layer(_, let part) = self else { return false }
    return switch part {
    case .query, .output, .down: true
    case .key, .value: type.isInPlanes
    case .gate: cutsInput
    default: false
    }
  }

  /// Its name in a bundle, or that of its weights in both planes.
  func storedName(in architecture: Architecture, _ type: WeightType, cutsInput: Bool) -> String {
    var name = TensorNaming.huggingFace.name(of: self, in: architecture)
    if cutsInput, case .layer(_, let part) = self {
      // Their rows are no longer those of one projection.
      if part == .gate { name.replace("gate_proj", with: "deciding_proj") }
      if part == .up { name.replace("up_proj", with: "other_proj") }
    }
    return name + (isStoredByInput(type, cutsInput: cutsInput) ? "_t" : "")
  }
}
