extension SafetensorsHeader {
  /// The length of the JSON that follows the first eight bytes of a file.
  ///
  /// - Parameter fileSize: the size of the whole (decompressed) file, in bytes.
  /// - Throws: ``SafetensorsError/headerSize(_:)``.
  public static func jsonSize(prefix: some Collection<UInt8>, fileSize: Int) throws(SafetensorsError) -> Int {
    let size = prefix.prefix(prefixSize).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard prefix.count >= prefixSize, size <= jsonSizeLimit, Int(size) <= fileSize - prefixSize else {
      throw .headerSize(size)
    }
    return Int(size)
  }

  /// Parses a header and checks everything that the format demands: unique names, known types, ranges
  /// that fit types and shapes and fill the data without hole or overlap.
  ///
  /// - Parameters:
  ///   - json: the bytes between the eight of the length and the data.
  ///   - dataSize: the size of what follows, in bytes.
  /// - Throws: ``SafetensorsError``.
  /// - Complexity: O(n log n) in the number of tensors, linear in `json`.
  public init(json: [UInt8], dataSize: Int) throws(SafetensorsError) {
    guard json.first == UInt8(ascii: "{") else { throw .syntax(offset: 0, expected: "'{'") }
    var scanner = HeaderScanner(json)
    var tensors: [Tensor] = []
    var metadata: [String: String]?
    try scanner.object { scanner, name throws(SafetensorsError) in
      if name == "__metadata__" {
        guard metadata == nil else { throw .duplicateName(name) }
        metadata = try scanner.strings()
      } else {
        tensors.append(try scanner.tensor(named: name))
      }
    }
    try scanner.end()
    try self.init(tensors: tensors, metadata: metadata ?? [:])
    try checkRanges(dataSize: dataSize)
  }

  private func checkRanges(dataSize: Int) throws(SafetensorsError) {
    var end = 0
    // Empty tensors share their start with the next one, so they go first.
    let order = tensors.sorted {
      ($0.byteRange.lowerBound, $0.byteRange.upperBound) < ($1.byteRange.lowerBound, $1.byteRange.upperBound)
    }
    for tensor in order {
      guard tensor.byteRange.count == tensor.type.byteCount(of: tensor.shape) else {
        throw .wrongSize(tensor: tensor.name)
      }
      guard tensor.byteRange.lowerBound == end else { throw .gapOrOverlap(tensor: tensor.name) }
      end = tensor.byteRange.upperBound
    }
    guard end == dataSize else { throw .dataSize(expected: end, actual: dataSize) }
  }
}

extension HeaderScanner {
  /// `{"dtype": …, "shape": …, "data_offsets": …}`, each once and nothing else.
  fileprivate mutating func tensor(named name: String) throws(SafetensorsError) -> SafetensorsHeader.Tensor {
    var type: SafetensorsType?
    var shape: [Int]?
    var offsets: [Int]?
    try object { scanner, key throws(SafetensorsError) in
      switch key {
      case "dtype" where type == nil:
        let text = try scanner.string()
        type = SafetensorsType(rawValue: text)
        guard type != nil else { throw .unknownType(tensor: name, type: text) }
      case "shape" where shape == nil: shape = try scanner.integers()
      case "data_offsets" where offsets == nil: offsets = try scanner.integers()
      default: throw scanner.syntax("one of dtype, shape and data_offsets of tensor '\(name)'")
      }
    }
    guard let type, let shape, let offsets, offsets.count == 2, offsets[0] <= offsets[1] else {
      throw syntax("the end of dtype, shape and two ascending data_offsets of tensor '\(name)'")
    }
    return .init(name: name, type: type, shape: shape, byteRange: offsets[0]..<offsets[1])
  }

  fileprivate mutating func strings() throws(SafetensorsError) -> [String: String] {
    var values: [String: String] = [:]
    try object { scanner, key throws(SafetensorsError) in
      guard values.updateValue(try scanner.string(), forKey: key) == nil else { throw .duplicateName(key) }
    }
    return values
  }
}
