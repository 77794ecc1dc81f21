import Checkpoints
import Files

/// The keys and values in front of a GGUF file's tensors, as bytes.
struct GGUFMetadata {
  private(set) var count = 0
  private(set) var bytes: [UInt8] = []

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

  /// Numbers whose little-endian bytes are there already.
  mutating func set(_ key: String, _ kind: GGUFValueType, bytes numbers: ArraySlice<UInt8>) {
    begin(key, kind, count: numbers.count / kind.minimumSize)
    bytes += numbers
  }

  private mutating func begin(_ key: String, _ kind: GGUFValueType) {
    count += 1
    bytes.append(string: key)
    bytes.append(littleEndian: kind.rawValue)
  }

  private mutating func begin(_ key: String, _ kind: GGUFValueType, count elements: Int) {
    begin(key, .array)
    bytes.append(littleEndian: kind.rawValue)
    bytes.append(littleEndian: UInt64(elements))
  }
}

extension [UInt8] {
  mutating func append(string: String) {
    append(littleEndian: UInt64(string.utf8.count))
    append(contentsOf: string.utf8)
  }
}
