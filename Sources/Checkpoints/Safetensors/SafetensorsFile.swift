import Files

/// A safetensors file, memory-mapped. Opening checks the whole header against the file's size, so that
/// reading a tensor later cannot fail for a truncated file.
///
///     let file = try SafetensorsFile(path: "thresholds.safetensors")
///     try file.values(of: "layers.0.ffn.threshold")  // [Float]
public struct SafetensorsFile: Sendable {
  public let header: SafetensorsHeader
  let file: MappedFile
  private let dataStart: Int

  /// The path as given.
  public var path: String { file.path }

  /// - Throws: ``CheckpointError`` where the file cannot be read or its header is not valid.
  /// - Complexity: O(the header's size); tensors are not touched.
  public init(path: String) throws(CheckpointError) {
    let file = try wrappingFileErrors { () throws(FileError) in try MappedFile(path: path) }
    do {
      let prefix = SafetensorsHeader.prefixSize
      let size = try SafetensorsHeader.jsonSize(prefix: file.bytes.prefix(prefix), fileSize: file.count)
      dataStart = prefix + size
      header = try SafetensorsHeader(json: Array(file.bytes[prefix..<dataStart]), dataSize: file.count - dataStart)
    } catch {
      throw .malformed(path: path, problem: error.description)
    }
    self.file = file
  }

  /// A tensor's values as float32, row by row.
  ///
  /// - Throws: ``CheckpointError/missing(path:item:)``, or ``CheckpointError/unsupported(path:feature:known:)``
  ///   where its type is not F32, F16 or BF16.
  /// - Complexity: O(the tensor's size).
  public func values(of name: String) throws(CheckpointError) -> [Float] {
    guard let tensor = try storedTensor(named: name) else { throw .missing(path: path, item: "tensor '\(name)'") }
    return tensor.values()
  }

  /// A tensor of 32-bit integers, row by row.
  ///
  /// - Throws: ``CheckpointError/missing(path:item:)``, or ``CheckpointError/unsupported(path:feature:known:)``
  ///   where its type is not I32.
  public func integers(of name: String) throws(CheckpointError) -> [Int32] {
    guard let tensor = header.tensor(named: name) else { throw .missing(path: path, item: "tensor '\(name)'") }
    guard tensor.type == .i32 else {
      throw .unsupported(
        path: path, feature: "tensor '\(name)' of type \(tensor.type.rawValue) in place of integers",
        known: [SafetensorsType.i32.rawValue])
    }
    return withBytes(of: name) { bytes in
      (0..<bytes.count / 4).map { Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)) }
    } ?? []
  }

  /// Calls `body` with a tensor's bytes, which are valid during the call only; `nil` where there is no such tensor.
  package func withBytes<Result, Failure: Error>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let range = range(of: name) else { return nil }
    defer { withExtendedLifetime(file) {} }
    return try body(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
  }

  private func range(of name: String) -> Range<Int>? {
    header.tensor(named: name).map { dataStart + $0.byteRange.lowerBound..<dataStart + $0.byteRange.upperBound }
  }
}

extension SafetensorsFile: TensorCatalog {
  var tensorNames: [String] { header.tensors.map(\.name) }

  func storedTensor(named name: String) throws(CheckpointError) -> StoredTensor? {
    guard let tensor = header.tensor(named: name), let range = range(of: name) else { return nil }
    guard let encoding = tensor.type.weightEncoding else {
      throw .unsupported(
        path: path, feature: "tensor '\(name)' of type \(tensor.type.rawValue) in place of floats",
        known: SafetensorsType.allCases.filter { $0.weightEncoding != nil }.map(\.rawValue))
    }
    return StoredTensor(name: name, shape: tensor.shape, encoding: encoding, file: file, range: range)
  }
}
