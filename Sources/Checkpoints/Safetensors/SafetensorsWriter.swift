import Files
import Foundation

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

  private init(name: String, type: SafetensorsType, shape: [Int], elements: [some BitwiseCopyable]) {
    bytes = elements.withUnsafeBytes { Array($0) }
    precondition(bytes.count == type.byteCount(of: shape), "\(elements.count) values do not fill the shape \(shape)")
    description = .init(name: name, type: type, shape: shape)
  }
}

/// Writes safetensors files that fit into memory: thresholds, golden vectors.
public enum SafetensorsWriter {
  /// Writes `tensors` in their order, atomically: the file appears whole or not at all.
  ///
  /// - Throws: ``SafetensorsError`` where names repeat, `FileError` where the file cannot be written.
  public static func write(
    _ tensors: [SafetensorsTensor], metadata: [String: String] = [:], to url: URL
  ) throws {
    let header = try SafetensorsHeader(placing: tensors.map(\.description), metadata: metadata)
    try writeAtomically(header.encoded() + tensors.flatMap(\.bytes), to: url.path)
  }
}
