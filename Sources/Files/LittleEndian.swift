// Numbers as file formats have them, whatever the machine's own order.
extension [UInt8] {
  package mutating func append<Number: FixedWidthInteger>(littleEndian number: Number) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }

  /// The number that begins at `offset`.
  ///
  /// - Precondition: All of its bytes are there.
  package func littleEndian<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type = Number.self) -> Number {
    self[offset..<offset + MemoryLayout<Number>.size].reversed().reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
  }
}
