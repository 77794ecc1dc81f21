import Testing

/// Writes small GGUF files, wrong ones too. Each step gives a new builder.
struct GGUFBuilder: Sendable, CustomTestStringConvertible {
  private var start: [UInt8] = Array("GGUF".utf8)
  private var versionNumber: UInt32 = 3
  private var claimedTensorCount: UInt64?
  private var claimedKeyCount: UInt64?
  private var keyCount: UInt64 = 0
  private var tensorCount: UInt64 = 0
  private var metadata: [UInt8] = []
  private var tensors: [UInt8] = []
  private var dataSize = 256
  private var dataAlignment = 32

  init(tensorCount: UInt64? = nil, keyCount: UInt64? = nil, dataSize: Int = 256) {
    claimedTensorCount = tensorCount
    claimedKeyCount = keyCount
    self.dataSize = dataSize
  }

  var testDescription: String { "\(metadata.count) bytes of metadata, \(tensorCount) tensors" }

  /// The whole file.
  var bytes: [UInt8] {
    var bytes = start + little(versionNumber)
    bytes += little(claimedTensorCount ?? tensorCount) + little(claimedKeyCount ?? keyCount) + metadata + tensors
    bytes += Array(repeating: 0, count: (dataAlignment - bytes.count % dataAlignment) % dataAlignment + dataSize)
    return bytes
  }

  func magic(_ text: String) -> Self { with { $0.start = Array(text.utf8) } }

  func version(_ number: UInt32) -> Self { with { $0.versionNumber = number } }

  func alignment(_ size: UInt32) -> Self {
    with {
      $0.addKey("general.alignment", type: 4, value: little(size))
      if size > 0 { $0.dataAlignment = Int(size) }
    }
  }

  func key(_ name: String, string: String, claimedLength: UInt64? = nil) -> Self {
    with { $0.addKey(name, type: 8, value: little(claimedLength ?? UInt64(string.utf8.count)) + Array(string.utf8)) }
  }

  func key(_ name: String, type: UInt32) -> Self { with { $0.addKey(name, type: type, value: []) } }

  func key(_ name: String, array type: UInt32, count: UInt64) -> Self {
    with { $0.addKey(name, type: 9, value: little(type) + little(count)) }
  }

  /// - Parameter dimensions: innermost first, as in the file.
  func tensor(_ name: String, _ dimensions: [UInt64], type: UInt32, at offset: UInt64) -> Self {
    with {
      $0.tensors += text(name) + little(UInt32(dimensions.count)) + dimensions.flatMap(little)
      $0.tensors += little(type) + little(offset)
      $0.tensorCount += 1
    }
  }

  private mutating func addKey(_ name: String, type: UInt32, value: [UInt8]) {
    metadata += text(name) + little(type) + value
    keyCount += 1
  }

  private func with(_ change: (inout Self) -> Void) -> Self {
    var copy = self
    change(&copy)
    return copy
  }

  private func text(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + Array(text.utf8) }

  private func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}
