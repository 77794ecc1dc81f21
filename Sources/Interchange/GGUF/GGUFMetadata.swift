/// The keys and values in front of a GGUF file's tensors, as bytes.
struct GGUFMetadata {
  private(set) var count = 0
  private(set) var bytes: [UInt8] = []

  /// The type numbers of the format that are written here.
  private enum Kind: UInt32 {
    case uint8 = 0
    case uint32 = 4
    case int32 = 5
    case float32 = 6
    case bool = 7
    case string = 8
    case array = 9
  }

  mutating func set(_ key: String, _ text: String) {
    begin(key, .string)
    bytes.append(string: text)
  }

  mutating func set(_ key: String, _ number: Int) {
    begin(key, .uint32)
    bytes.append(littleEndian: UInt32(number))
  }

  mutating func set(_ key: String, _ number: Float) {
    begin(key, .float32)
    bytes.append(littleEndian: number.bitPattern)
  }

  mutating func set(_ key: String, _ flag: Bool) {
    begin(key, .bool)
    bytes.append(flag ? 1 : 0)
  }

  mutating func set(_ key: String, _ texts: [String]) {
    begin(key, .string, count: texts.count)
    for text in texts { bytes.append(string: text) }
  }

  mutating func set(_ key: String, _ numbers: [Int32]) {
    begin(key, .int32, count: numbers.count)
    for number in numbers { bytes.append(littleEndian: number) }
  }

  mutating func set(_ key: String, _ numbers: [UInt8]) {
    begin(key, .uint8, count: numbers.count)
    bytes += numbers
  }

  /// Bit for bit, infinities included.
  mutating func set(_ key: String, _ numbers: [Float]) {
    begin(key, .float32, count: numbers.count)
    for number in numbers { bytes.append(littleEndian: number.bitPattern) }
  }

  private mutating func begin(_ key: String, _ kind: Kind) {
    count += 1
    bytes.append(string: key)
    bytes.append(littleEndian: kind.rawValue)
  }

  private mutating func begin(_ key: String, _ kind: Kind, count elements: Int) {
    begin(key, .array)
    bytes.append(littleEndian: kind.rawValue)
    bytes.append(littleEndian: UInt64(elements))
  }
}

extension [UInt8] {
  mutating func append<T: FixedWidthInteger>(littleEndian value: T) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  mutating func append(string: String) {
    append(littleEndian: UInt64(string.utf8.count))
    append(contentsOf: string.utf8)
  }
}
