import Checkpoints

/// A row of 8-bit weights: for each group 32 signed codes, then for each group a binary16 scale, then zeros up to a
/// multiple of 64 bytes. `weight = code · scale`; codes are from −127 to 127, and zeros beyond the last column.
enum Int8Record {
  static func size(columns: Int) -> Int {
    WeightGroups.recordSize(holding: WeightGroups.count(columns: columns) * (WeightGroups.size + 2))
  }

  /// - Precondition: `record` is zeros.
  static func encode(
    _ row: UnsafePointer<Float>, count: Int, into record: UnsafeMutableRawPointer
  ) throws(UnstorableWeights) {
    let codes = record.assumingMemoryBound(to: UInt8.self)
    let scales = record + WeightGroups.count(columns: count) * WeightGroups.size
    for start in stride(from: 0, to: count, by: WeightGroups.size) {
      let columns = start..<min(start + WeightGroups.size, count)
      // Magnitudes compare like their bits, and those compare several at a time.
      var largest: UInt32 = 0
      for i in columns { largest = max(largest, row[i].magnitude.bitPattern) }
      let bits = FloatBits.f16(from: Float(bitPattern: largest) / 127)
      guard FloatBits.isFinite(f16: bits) else { throw .outOfRange }
      scales.storeBytes(of: bits.littleEndian, toByteOffset: start / 16, as: UInt16.self)
      let scale = FloatBits.float(fromF16: bits)
      // What is smaller than any scale is stored as zeros.
      for i in columns { codes[i] = scale == 0 ? 0 : nearestInteger(row[i] / scale, -127, 127).bits }
    }
  }

  static func decode(_ record: UnsafeRawPointer, into row: UnsafeMutablePointer<Float>, count: Int) {
    let codes = record.assumingMemoryBound(to: Int8.self)
    let scales = record + WeightGroups.count(columns: count) * WeightGroups.size
    for start in stride(from: 0, to: count, by: WeightGroups.size) {
      let scale = FloatBits.float(fromF16: scales.littleEndianHalf(at: start / 16))
      for i in start..<min(start + WeightGroups.size, count) { row[i] = Float(codes[i]) * scale }
    }
  }

  /// What is wrong with a record that no encoder writes.
  static func fault(_ record: UnsafeRawBufferPointer, columns: Int) -> RecordFault? {
    let groups = WeightGroups.count(columns: columns)
    let codes = groups * WeightGroups.size
    guard !record[..<columns].contains(0x80) else { return .code }
    guard record[columns..<codes].allSatisfy({ $0 == 0 }), record[(codes + 2 * groups)...].allSatisfy({ $0 == 0 })
    else { return .padding }
    return record.halvesAreFinite(codes..<codes + 2 * groups) ? nil : .scale
  }
}
