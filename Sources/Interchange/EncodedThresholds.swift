import Checkpoints
import ThresholdSolver

/// What a bundle's `thresholds.safetensors` holds, for formats that carry it by the same names.
struct EncodedThresholds {
  struct Tensor {
    let name: String
    let type: SafetensorsType
    let shape: [Int]
    let bytes: ArraySlice<UInt8>  // little-endian
  }

  /// What the thresholds were solved for and from, by key.
  let metadata: [(key: String, value: String)]
  let tensors: [Tensor]

  init(_ thresholds: Thresholds) throws {
    let bytes = try thresholds.encoded()
    let size = try SafetensorsHeader.jsonSize(prefix: bytes.prefix(SafetensorsHeader.prefixSize), fileSize: bytes.count)
    let start = SafetensorsHeader.prefixSize + size
    let header = try SafetensorsHeader(
      json: Array(bytes[SafetensorsHeader.prefixSize..<start]), dataSize: bytes.count - start)
    metadata = header.metadata.sorted { $0.key < $1.key }
    tensors = header.tensors.map { tensor in
      Tensor(
        name: tensor.name, type: tensor.type, shape: tensor.shape,
        bytes: bytes[start + tensor.byteRange.lowerBound..<start + tensor.byteRange.upperBound])
    }
  }
}
