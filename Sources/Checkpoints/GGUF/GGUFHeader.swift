import Files

/// Everything in front of a GGUF file's weights, checked against the file's size.
struct GGUFHeader {
  var version = 0
  var alignment = 32
  var keys: [String] = []
  var metadata: [String: GGUFValue] = [:]
  var tensors: [GGUFFile.Tensor] = []
  var tensorIndices: [String: Int] = [:]

  private static let nameLimit = 65535
  private static let dimensionLimit: UInt32 = 4

  init(reading file: MappedFile) throws(CheckpointError) {
    var reader = GGUFReader(file)
    version = try Self.readVersion(&reader)
    // A tensor takes 24 bytes at least (two lengths, a type, an offset), a metadata entry 13.
    let tensorCount = try reader.count(of: "the list of tensors", atLeast: 24)
    let keyCount = try reader.count(of: "the metadata", atLeast: 13)
    for _ in 0..<keyCount { try readMetadata(&reader) }
    alignment = try checkedAlignment(reader)
    for _ in 0..<tensorCount { try readTensor(&reader) }
    try placeTensors(reader)
  }

  private static func readVersion(_ reader: inout GGUFReader) throws(CheckpointError) -> Int {
    guard try reader.integer(UInt32.self, of: "the magic number") == 0x4655_4747 else {
      throw reader.damaged("it does not start with 'GGUF'")
    }
    let version = try reader.integer(UInt32.self, of: "the version")
    guard version == 2 || version == 3 else {
      let feature = version == UInt32(3).byteSwapped ? "big-endian numbers" : "GGUF version \(version)"
      throw .unsupported(path: reader.file.path, feature: feature, known: ["GGUF version 2 and 3, little-endian"])
    }
    return Int(version)
  }

  private mutating func readMetadata(_ reader: inout GGUFReader) throws(CheckpointError) {
    let key = try reader.string(of: "a metadata key", limit: Self.nameLimit)
    let value = try reader.value(of: key)
    guard metadata.updateValue(value, forKey: key) == nil else { throw reader.damaged("key '\(key)' occurs twice") }
    keys.append(key)
  }

  private func checkedAlignment(_ reader: GGUFReader) throws(CheckpointError) -> Int {
    guard let value = metadata["general.alignment"] else { return 32 }
    guard let alignment = value.integer, alignment > 0, alignment <= 1 << 30, alignment.nonzeroBitCount == 1 else {
      throw reader.damaged("'general.alignment' is not a power of two")
    }
    return alignment
  }

  /// Reads one description; its range starts at the data section until `placeTensors` moves it.
  private mutating func readTensor(_ reader: inout GGUFReader) throws(CheckpointError) {
    let name = try reader.string(of: "a tensor's name", limit: Self.nameLimit)
    let item = "tensor '\(name)'"
    let dimensions = try reader.integer(UInt32.self, of: item)
    guard (1...Self.dimensionLimit).contains(dimensions) else {
      throw reader.damaged("\(item) has \(dimensions) dimensions")
    }
    var shape: [Int] = []
    var count = 1
    for _ in 0..<dimensions {
      let size = try reader.integer(UInt64.self, of: item)
      guard size > 0, let length = Int(exactly: size), count <= Int.max / length else {
        throw reader.damaged("\(item) has a dimension of \(size)")
      }
      count *= length
      shape.insert(length, at: 0)
    }
    let encoding = try readEncoding(&reader, item)
    guard shape[shape.count - 1].isMultiple(of: encoding.weightsPerBlock), let size = encoding.byteCount(of: count)
    else {
      throw reader.damaged("\(item) of shape \(shape) does not fill blocks of \(encoding.weightsPerBlock) weights")
    }
    let offset = try reader.integer(UInt64.self, of: item)
    guard let start = Int(exactly: offset), start.isMultiple(of: alignment), start <= Int.max - size else {
      throw reader.damaged("\(item) starts at \(offset), which is no multiple of \(alignment)")
    }
    guard tensorIndices.updateValue(tensors.count, forKey: name) == nil else {
      throw reader.damaged("\(item) occurs twice")
    }
    tensors.append(.init(name: name, shape: shape, encoding: encoding, byteRange: start..<start + size))
  }

  private func readEncoding(_ reader: inout GGUFReader, _ item: String) throws(CheckpointError) -> WeightEncoding {
    let number = try reader.integer(UInt32.self, of: item)
    guard let encoding = WeightEncoding(rawValue: number) else {
      throw .unsupported(
        path: reader.file.path, feature: "\(item) of ggml type \(number)", known: WeightEncoding.allCases.map(\.name))
    }
    return encoding
  }

  /// Turns offsets in the data section into offsets in the file, and checks that tensors lie apart and inside.
  private mutating func placeTensors(_ reader: GGUFReader) throws(CheckpointError) {
    let size = reader.file.count
    let dataStart = (reader.offset + alignment - 1) / alignment * alignment
    for tensor in tensors where tensor.byteRange.upperBound > size - dataStart {
      throw reader.damaged(
        "tensor '\(tensor.name)' ends at byte \(tensor.byteRange.upperBound) of the data, "
          + "but the file has only \(max(0, size - dataStart)) there")
    }
    let sorted = tensors.sorted { $0.byteRange.lowerBound < $1.byteRange.lowerBound }
    for (first, second) in zip(sorted, sorted.dropFirst())
    where first.byteRange.upperBound > second.byteRange.lowerBound {
      throw reader.damaged("tensors '\(first.name)' and '\(second.name)' overlap")
    }
    tensors = tensors.map {
      let start = dataStart + $0.byteRange.lowerBound
      return .init(
        name: $0.name, shape: $0.shape, encoding: $0.encoding, byteRange: start..<start + $0.byteRange.count)
    }
  }
}
