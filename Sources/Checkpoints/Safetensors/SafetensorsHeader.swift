/// The header of a safetensors file: names, types, shapes and places of its tensors.
///
///     8 bytes  length of the JSON, little-endian
///     JSON     {"__metadata__": {…}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}
///     data     the tensors' bytes, row-major, without holes
///
/// It knows nothing of files, so that it also describes compressed or streamed data.
/// Format: the README of huggingface/safetensors.
public struct SafetensorsHeader: Sendable, Equatable {
  public struct Tensor: Sendable, Equatable {
    public let name: String
    public let type: SafetensorsType
    /// Outermost dimension first; empty for a scalar.
    public let shape: [Int]
    /// Where its bytes lie, counted from the end of the header.
    public let byteRange: Range<Int>
  }

  /// Size in bytes of the length that stands in front of the JSON.
  public static let prefixSize = 8
  /// The longest JSON that the format allows, in bytes.
  public static let jsonSizeLimit = 100_000_000

  /// In the header's order.
  public let tensors: [Tensor]
  /// The free text values of `__metadata__`.
  public let metadata: [String: String]
  private let indices: [String: Int]

  public func tensor(named name: String) -> Tensor? { indices[name].map { tensors[$0] } }

  /// Size of all tensors, in bytes.
  public var dataSize: Int { tensors.map(\.byteRange.upperBound).max() ?? 0 }

  init(tensors: [Tensor], metadata: [String: String]) throws(SafetensorsError) {
    var indices: [String: Int] = [:]
    for (index, tensor) in tensors.enumerated() {
      guard indices.updateValue(index, forKey: tensor.name) == nil else { throw .duplicateName(tensor.name) }
    }
    self.tensors = tensors
    self.metadata = metadata
    self.indices = indices
  }
}
