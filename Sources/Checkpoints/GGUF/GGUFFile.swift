import Files

/// A GGUF file, versions 2 and 3, little-endian: metadata and tensors of one model, memory-mapped.
///
///     let file = try GGUFFile(path: "model.gguf")
///     file["general.architecture"]  // .string("llama")
///     file.tensors.first?.shape  // [49152, 576]
///     try file.values(of: "output_norm.weight")  // [Float], dequantised
///
/// Opening reads the header only, and checks that each tensor lies inside the file, so that reading
/// a tensor later cannot fail for a truncated file. Weights are decoded anew on each request.
/// Big-endian files, version 1 and arrays of arrays are refused; so are encodings not in ``WeightEncoding``.
/// Format: ggml's `docs/gguf.md`.
public struct GGUFFile: Sendable {
  /// A tensor as the header describes it.
  public struct Tensor: Sendable, Equatable {
    public let name: String
    /// Outermost dimension first, unlike in the file.
    public let shape: [Int]
    public let encoding: WeightEncoding
    /// Where its bytes lie in the file.
    public let byteRange: Range<Int>
  }

  public let version: Int
  /// Tensors start at multiples of this, in bytes.
  public let alignment: Int
  /// Metadata keys in the file's order.
  public let keys: [String]
  /// In the file's order.
  public let tensors: [Tensor]

  let file: MappedFile
  private let metadata: [String: GGUFValue]
  private let tensorIndices: [String: Int]

  /// The path as given.
  public var path: String { file.path }

  /// - Throws: ``CheckpointError`` where the file cannot be read, its header is damaged, or a tensor
  ///   overlaps another, ends after the file or has an unknown encoding.
  /// - Complexity: O(the header's size); weights are not touched.
  public init(path: String) throws(CheckpointError) {
    file = try wrappingFileErrors { () throws(FileError) in try MappedFile(path: path) }
    let header = try GGUFHeader(reading: file)
    version = header.version
    alignment = header.alignment
    keys = header.keys
    metadata = header.metadata
    tensors = header.tensors
    tensorIndices = header.tensorIndices
  }

  /// The metadata value at `key`.
  public subscript(key: String) -> GGUFValue? { metadata[key] }

  public func tensor(named name: String) -> Tensor? { tensorIndices[name].map { tensors[$0] } }

  /// A tensor's values as float32, row by row.
  ///
  /// - Throws: ``CheckpointError/missing(path:item:)``.
  /// - Complexity: O(the tensor's size).
  public func values(of name: String) throws(CheckpointError) -> [Float] {
    guard let tensor = storedTensor(named: name) else { throw .missing(path: path, item: "tensor '\(name)'") }
    return tensor.values()
  }
}

extension GGUFFile: TensorCatalog {
  var tensorNames: [String] { tensors.map(\.name) }

  func storedTensor(named name: String) -> StoredTensor? {
    tensor(named: name).map {
      StoredTensor(name: $0.name, shape: $0.shape, encoding: $0.encoding, file: file, range: $0.byteRange)
    }
  }
}
