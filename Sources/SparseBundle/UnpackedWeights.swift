import Checkpoints
import Files
import LinearAlgebra

/// A bundle's weights, unpacked: a safetensors file in memory, either mapped from a ``WeightCache`` or, where there
/// is none, held.
public final class UnpackedWeights: Sendable {
  public let configuration: ModelConfiguration
  private let storage: Storage
  private let layout: BundleLayout
  private let factorRows: FactorRows?

  private enum Storage: Sendable {
    case mapped(MappedFile)
    case held(AlignedBytes)
  }

  /// Where one tensor lies in memory, as it is stored.
  package struct Tensor {
    package let bytes: UnsafeRawBufferPointer
    package let entry: BundleLayout.Entry
  }

  /// - Throws: ``BundleError/malformed(file:reason:)`` where the file is not this bundle's weights.
  convenience init(mapping path: String, of weights: BundleWeights) throws {
    try self.init(.mapped(try MappedFile(path: path)), weights)
  }

  /// - Complexity: O(weights) time and memory.
  convenience init(holding weights: BundleWeights) throws {
    let memory = AlignedBytes(count: weights.unpackedSize)
    var filled = 0
    try weights.forEachPiece { piece in
      piece.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: memory.bytes[filled...]).copyMemory(from: $0) }
      filled += piece.count
    }
    try self.init(.held(memory), weights)
  }

  private init(_ storage: Storage, _ weights: BundleWeights) throws {
    self.storage = storage
    configuration = weights.configuration
    layout = weights.layout
    factorRows = weights.factorRows
    let header = layout.header.encoded()
    let size = header.count + layout.header.dataSize
    let fits = withBytes { $0.count == size && $0.prefix(header.count).elementsEqual(header) }
    guard fits else {
      throw BundleError.malformed(
        file: BundleFile.weights, reason: "what it was unpacked to is not this model's weights")
    }
  }

  /// What holds a tensor of the model: of weights in planes, that of one plane. Only valid while the object is alive.
  ///
  /// - Returns: `nil` where there is no such tensor, or where it is not stored in one piece.
  package func tensor(_ tensor: ModelTensor, plane: WeightPlane? = nil) -> Tensor? {
    let entries = layout.entries(of: tensor, plane: plane)
    guard let entry = entries.first, entries.count == 1 else { return nil }
    return self.tensor(entry)
  }

  private func tensor(_ entry: BundleLayout.Entry) -> Tensor {
    withBytes { Tensor(bytes: UnsafeRawBufferPointer(rebasing: $0[entry.byteRange]), entry: entry) }
  }

  /// A layer in float32, in Hugging Face's orientation: for the batch of a prompt.
  ///
  /// - Complexity: O(the layer's weights).
  package func layer(_ index: Int) throws -> LayerWeights {
    try LayerWeights(index, configuration, factorRows) { tensor in
      try layout.values(tensor) { entry, body in body(self.tensor(entry).bytes) }
    }
  }

  private func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    switch storage {
    case .mapped(let file): body(file.bytes)
    case .held(let memory): body(UnsafeRawBufferPointer(memory.bytes))
    }
  }
}

/// Memory that begins at a cache line, as mapped files do.
private final class AlignedBytes: @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer

  init(count: Int) { bytes = .allocate(byteCount: count, alignment: BundleLayout.alignment) }
  deinit { bytes.deallocate() }
}
