import CZlib

/// The CRC-32 of gzip and zip. Complexity: O(bytes).
package func crc32(of bytes: some Collection<UInt8>) -> UInt32 {
  var checksum = CZlib.crc32(0, nil, 0)
  for piece in stride(from: 0, to: bytes.count, by: 1 << 30) {
    let part = bytes.dropFirst(piece).prefix(1 << 30)
    checksum =
      part.withContiguousStorageIfAvailable { CZlib.crc32(checksum, $0.baseAddress, uInt($0.count)) }
      ?? Array(part).withUnsafeBufferPointer { CZlib.crc32(checksum, $0.baseAddress, uInt($0.count)) }
  }
  return UInt32(checksum)
}
