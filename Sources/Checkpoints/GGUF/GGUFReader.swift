import Files

/// Reads the little-endian values of a GGUF header one after the other, and never past the end of the file.
struct GGUFReader {
  let file: MappedFile
  private(set) var offset = 0

  var remaining: Int { file.count - offset }

  init(_ file: MappedFile) { self.file = file }

  func damaged(_ problem: String) -> CheckpointError { .malformed(path: file.path, problem: problem) }

  mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type = T.self, of item: @autoclosure () -> String
  ) throws(CheckpointError) -> T {
    let size = MemoryLayout<T>.size
    guard remaining >= size else { throw damaged("it ends at byte \(file.count), inside \(item())") }
    defer { offset += size }
    return T(littleEndian: file.bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// A number of things that take at least `size` bytes each in the rest of the file, so that memory
  /// may be reserved for them.
  mutating func count(
    of item: @autoclosure () -> String, atLeast size: Int
  ) throws(CheckpointError) -> Int {
    let count = try integer(UInt64.self, of: item())
    guard count <= UInt64(remaining / size) else {
      throw damaged("\(item()) is said to have \(count) entries, but only \(remaining) bytes follow")
    }
    return Int(count)
  }

  /// - Parameter limit: the greatest length, in bytes.
  mutating func string(
    of item: @autoclosure () -> String, limit: Int = .max
  ) throws(CheckpointError) -> String {
    let length = try count(of: item(), atLeast: 1)
    guard length <= limit else { throw damaged("\(item()) has \(length) bytes, more than \(limit)") }
    let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[offset..<offset + length])
    guard let text = String(validating: bytes, as: UTF8.self) else { throw damaged("\(item()) is not UTF-8") }
    offset += length
    return text
  }

  mutating func float32(of item: @autoclosure () -> String) throws(CheckpointError) -> Double {
    Double(Float(bitPattern: try integer(of: item())))
  }

  mutating func float64(of item: @autoclosure () -> String) throws(CheckpointError) -> Double {
    Double(bitPattern: try integer(of: item()))
  }

  mutating func bool(of item: @autoclosure () -> String) throws(CheckpointError) -> Bool {
    let byte = try integer(UInt8.self, of: item())
    guard byte <= 1 else { throw damaged("\(item()) is a boolean of value \(byte)") }
    return byte == 1
  }
}

// Metadata values.
extension GGUFReader {
  mutating func value(of key: String) throws(CheckpointError) -> GGUFValue {
    let item = "the value of '\(key)'"
    switch try valueType(of: item) {
    case .uint8: return .unsigned(UInt64(try integer(UInt8.self, of: item)))
    case .uint16: return .unsigned(UInt64(try integer(UInt16.self, of: item)))
    case .uint32: return .unsigned(UInt64(try integer(UInt32.self, of: item)))
    case .uint64: return .unsigned(try integer(UInt64.self, of: item))
    case .int8: return .signed(Int64(try integer(Int8.self, of: item)))
    case .int16: return .signed(Int64(try integer(Int16.self, of: item)))
    case .int32: return .signed(Int64(try integer(Int32.self, of: item)))
    case .int64: return .signed(try integer(Int64.self, of: item))
    case .float32: return .float(try float32(of: item))
    case .float64: return .float(try float64(of: item))
    case .bool: return .bool(try bool(of: item))
    case .string: return .string(try string(of: item))
    case .array: return try array(of: item)
    }
  }

  private mutating func array(of item: String) throws(CheckpointError) -> GGUFValue {
    let type = try valueType(of: item)
    let count = try count(of: item, atLeast: type.minimumSize)
    switch type {
    case .uint8: return .unsignedArray(try unsigned(UInt8.self, count, item))
    case .uint16: return .unsignedArray(try unsigned(UInt16.self, count, item))
    case .uint32: return .unsignedArray(try unsigned(UInt32.self, count, item))
    case .uint64: return .unsignedArray(try unsigned(UInt64.self, count, item))
    case .int8: return .signedArray(try signed(Int8.self, count, item))
    case .int16: return .signedArray(try signed(Int16.self, count, item))
    case .int32: return .signedArray(try signed(Int32.self, count, item))
    case .int64: return .signedArray(try signed(Int64.self, count, item))
    case .float32: return .floatArray(try elements(count) { r throws(CheckpointError) in try r.float32(of: item) })
    case .float64: return .floatArray(try elements(count) { r throws(CheckpointError) in try r.float64(of: item) })
    case .bool: return .boolArray(try elements(count) { r throws(CheckpointError) in try r.bool(of: item) })
    case .string: return .stringArray(try elements(count) { r throws(CheckpointError) in try r.string(of: item) })
    case .array: throw damaged("\(item) is an array of arrays, which no GGUF reader accepts")
    }
  }

  private mutating func unsigned<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ type: T.Type, _ count: Int, _ item: String
  ) throws(CheckpointError) -> [UInt64] {
    try elements(count) { reader throws(CheckpointError) in UInt64(try reader.integer(type, of: item)) }
  }

  private mutating func signed<T: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ type: T.Type, _ count: Int, _ item: String
  ) throws(CheckpointError) -> [Int64] {
    try elements(count) { reader throws(CheckpointError) in Int64(try reader.integer(type, of: item)) }
  }

  private mutating func elements<T>(
    _ count: Int, _ next: (inout GGUFReader) throws(CheckpointError) -> T
  ) throws(CheckpointError) -> [T] {
    var values: [T] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try next(&self)) }
    return values
  }

  private mutating func valueType(of item: String) throws(CheckpointError) -> GGUFValueType {
    let number = try integer(UInt32.self, of: item)
    guard let type = GGUFValueType(rawValue: number) else { throw damaged("\(item) has the unknown type \(number)") }
    return type
  }
}
