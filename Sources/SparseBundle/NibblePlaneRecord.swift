import Checkpoints

/// A row of 8-bit weights in two planes, each in a record of its own: for each group 16 bytes of four-bit codes, then
/// the scales of all groups as binary16, the same in both records. Byte `i` of a group has the code of its weight `i`
/// in the low nibble and that of weight `i + 16` in the high one, zeros beyond the last column.
///
/// A code `c` from −127 to 127 is kept as `c + 128 = 16·h + l`. The high plane alone stands for the middle of the 16
/// codes that share it, `16·h − 120.5`; the low plane adds `l − 7.5`. The weights of the two add up to `c · scale` without
/// any rounding: all three have fewer bits than a float32.
///
/// Records have no padding: most rows of high planes are read one behind the other.
enum NibblePlaneRecord {
  private static let half = WeightGroups.size / 2

  /// Of one plane.
  static func size(columns: Int) -> Int { WeightGroups.count(columns: columns) * (half + 2) }

  /// One plane of a row, rounded as ``Int8Record`` rounds it.
  ///
  /// - Precondition: `record` is zeros.
  static func encode(
    _ plane: WeightPlane, _ row: UnsafePointer<Float>, count: Int, into record: UnsafeMutableRawPointer
  ) throws(UnstorableWeights) {
    let groups = WeightGroups.count(columns: count)
    var whole = [UInt8](repeating: 0, count: Int8Record.size(columns: count))
    try whole.withUnsafeMutableBufferPointer { whole throws(UnstorableWeights) in
      guard let whole = UnsafeMutableRawPointer(whole.baseAddress) else { return }
      try Int8Record.encode(row, count: count, into: whole)
      let codes = record.assumingMemoryBound(to: UInt8.self)
      for column in 0..<count {
        let (place, shift) = place(of: column)
        let code = whole.load(fromByteOffset: column, as: UInt8.self) ^ 0x80  // c + 128
        codes[place] |= (plane == .high ? code >> 4 : code & 15) << shift
      }
      (record + groups * half).copyMemory(from: whole + groups * WeightGroups.size, byteCount: 2 * groups)
    }
  }

  /// What a high plane stands for alone.
  static func decode(high record: UnsafeRawPointer, into row: UnsafeMutablePointer<Float>, count: Int) {
    forEachWeight(.high, record, count: count) { row[$0] = $1 }
  }

  /// Makes the weights of a row that holds what the high plane stands for, bit for bit the unsplit ones.
  static func complete(_ row: UnsafeMutablePointer<Float>, low record: UnsafeRawPointer, count: Int) {
    forEachWeight(.low, record, count: count) { row[$0] += $1 }
  }

  @inline(__always)
  private static func forEachWeight(
    _ plane: WeightPlane, _ record: UnsafeRawPointer, count: Int, _ visit: (_ column: Int, _ value: Float) -> Void
  ) {
    let scales = record + WeightGroups.count(columns: count) * half
    let codes = record.assumingMemoryBound(to: UInt8.self)
    let (step, least): (Float, Float) = plane == .high ? (16, -120.5) : (1, -7.5)
    for start in stride(from: 0, to: count, by: WeightGroups.size) {
      let scale = FloatBits.float(fromF16: scales.littleEndianHalf(at: start / 16))
      let group = codes + start / 2
      for i in 0..<min(half, count - start) { visit(start + i, (step * Float(group[i] & 15) + least) * scale) }
      for i in half..<max(half, min(WeightGroups.size, count - start)) {
        visit(start + i, (step * Float(group[i - half] >> 4) + least) * scale)
      }
    }
  }

  /// What is wrong with two records that no encoder writes.
  static func fault(high: UnsafeRawBufferPointer, low: UnsafeRawBufferPointer, columns: Int) -> RecordFault? {
    let groups = WeightGroups.count(columns: columns)
    let scales = groups * half..<groups * (half + 2)
    for column in 0..<groups * WeightGroups.size {
      let (place, shift) = place(of: column)
      let codes = (high[place] >> shift & 15, low[place] >> shift & 15)
      if column >= columns, codes != (0, 0) { return .padding }
      if column < columns, codes == (0, 0) { return .code }  // −128
    }
    guard high[scales].elementsEqual(low[scales]) else { return .planes }
    return high.halvesAreFinite(scales) ? nil : .scale
  }

  /// The byte that holds a column's code, and by how much it is shifted there.
  @inline(__always)
  private static func place(of column: Int) -> (byte: Int, shift: UInt8) {
    let (group, i) = (column / WeightGroups.size, column % WeightGroups.size)
    return (group * half + i % half, i < half ? 0 : 4)
  }
}
