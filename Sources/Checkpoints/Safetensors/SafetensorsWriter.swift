/// A tensor in memory, as ``SafetensorsWriter`` writes it.
public struct SafetensorsTensor: Sendable, Equatable {
  public let description: SafetensorsHeader.Description
  /// Little-endian elements, row by row.
  public let bytes: [UInt8]

  /// - Precondition: `values.count` is the product of `shape`.
  public init(name: String, shape: [Int], values: [Float]) {
    self.init(name: name, type: .f32, shape: shape, elements: values.map { $0.bitPattern.littleEndian })
  }

  /// - Precondition: `values.count` is the product of `shape`.
  public init(name: String, shape: [Int], values: [Int32]) {
    self.init(name: name, type: .i32, shape: shape, elements: values.map(\.littleEndian))
  }

  /// - Precondition: `values.count` is the product of `shape`.
  public init(name: String, shape: [Int], values: [UInt8]) {
    self.init(name: name, type: .u8, shape: shape, elements: values)
  }

  private init(name: String, type: SafetensorsType, shape: [Int], elements: [some BitwiseCopyable]) {
    bytes = elements.withUnsafeBytes { Array($0) }
    precondition(bytes.count == type.byteCount(of: shape), "\(elements.count) values do not fill the shape \(shape)")
    description = .init(name: name, type: type, shape: shape)
  }
}

/// Makes safetensors files that fit into memory: thresholds, golden vectors.
public enum SafetensorsWriter {
  /// The bytes of a file that holds `tensors` in their order.
  ///
  /// - Throws: ``SafetensorsError`` where names repeat.
  public static func encode(
    _ tensors: [SafetensorsTensor], metadata: [String: String] = [:]
  ) throws(SafetensorsError) -> [UInt8] {
    var file = try SafetensorsHeader(placing: tensors.map(\.description), metadata: metadata).encoded()
    for tensor in tensors { file += tensor.bytes }
    return file
  }
}
