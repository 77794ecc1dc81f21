import Checkpoints
import Files

/// Writes a GGUF file, version 3, little-endian, front to back. Format: ggml's `docs/gguf.md`.
struct GGUFWriter {
  struct Tensor {
    let name: String
    /// Outermost dimension first, unlike in the file.
    let shape: [Int]
    let encoding: WeightEncoding

    var byteCount: Int { shape.reduce(1, *) / encoding.weightsPerBlock * encoding.bytesPerBlock }
  }

  private static let alignment = 32

  var metadata = GGUFMetadata()

  /// - Parameters:
  ///   - tensors: In the order of the file.
  ///   - contents: Hands the bytes of each of them to `sink`, piece by piece; exactly as many as it has.
  func write(
    to path: String, _ tensors: [Tensor],
    contents: (_ tensor: Int, _ sink: ([UInt8]) throws -> Void) throws -> Void
  ) throws {
    let file = try FileWriter(creating: path)
    try file.write(header(tensors))
    try pad(file)
    for (index, tensor) in tensors.enumerated() {
      let end = file.count + tensor.byteCount
      try contents(index) { try file.write($0) }
      precondition(file.count == end, "tensor \(tensor.name) has other bytes than its shape")
      try pad(file)
    }
  }

  private func header(_ tensors: [Tensor]) -> [UInt8] {
    var bytes = Array("GGUF".utf8)
    bytes.append(littleEndian: UInt32(3))
    bytes.append(littleEndian: UInt64(tensors.count))
    bytes.append(littleEndian: UInt64(metadata.count))
    bytes += metadata.bytes
    var offset = 0
    for tensor in tensors {
      bytes.append(string: tensor.name)
      bytes.append(littleEndian: UInt32(tensor.shape.count))
      for size in tensor.shape.reversed() { bytes.append(littleEndian: UInt64(size)) }
      bytes.append(littleEndian: tensor.encoding.rawValue)
      bytes.append(littleEndian: UInt64(offset))
      offset += tensor.byteCount + Self.padding(after: tensor.byteCount)
    }
    return bytes
  }

  private func pad(_ file: FileWriter) throws {
    try file.write([UInt8](repeating: 0, count: Self.padding(after: file.count)))
  }

  private static func padding(after count: Int) -> Int { -count & (alignment - 1) }
}
