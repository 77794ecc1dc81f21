import Checkpoints
import LinearAlgebra

/// Why weights cannot be stored in a format.
enum UnstorableWeights: Error {
  /// One is infinite or not a number.
  case notFinite
  /// One, or the scale of a group, is beyond the format's range.
  case outOfRange
}

// Rows of weights and their records. One loop a format and row, so that nothing is decided for each weight.
extension RowFormat {
  /// The records of a matrix' rows, one after the other, rounded to the nearest.
  ///
  /// - Complexity: O(weights).
  func encode(_ matrix: Matrix) throws(UnstorableWeights) -> [UInt8] {
    var records = [UInt8](repeating: 0, count: matrix.rows * rowBytes(columns: matrix.columns))
    try encode(matrix, into: &records, every: 1, from: 0)
    return records
  }

  /// The same as records `first`, `first + step`, … of others.
  ///
  /// - Precondition: `records` are zeros, `step` times those of the matrix' rows.
  func encode(
    _ matrix: Matrix, into records: inout [UInt8], every step: Int, from first: Int
  ) throws(UnstorableWeights) {
    let size = rowBytes(columns: matrix.columns)
    precondition(records.count == step * matrix.rows * size)
    try records.withUnsafeMutableBufferPointer { records throws(UnstorableWeights) in
      guard let base = UnsafeMutableRawPointer(records.baseAddress) else { return }
      for row in 0..<matrix.rows {
        try encode(matrix.row(row), count: matrix.columns, into: base + (first + row * step) * size)
      }
    }
  }

  /// The weights of records. Those of a high plane are what it stands for alone; those of a low plane complete a matrix
  /// that holds what the high one stands for.
  ///
  /// - Precondition: `records` are those of exactly the matrix' rows.
  func decode(_ records: [UInt8], into matrix: Matrix) { records.withUnsafeBytes { decode($0, into: matrix) } }

  /// The weights of records `first`, `first + step`, …
  ///
  /// - Parameter rows: Which rows of the matrix they are; all unless given.
  /// - Precondition: `records` are `step` times those of the rows.
  func decode(
    _ records: UnsafeRawBufferPointer, into matrix: Matrix, rows: Range<Int>? = nil, every step: Int = 1,
    from first: Int = 0
  ) {
    let rows = rows ?? 0..<matrix.rows
    let size = rowBytes(columns: matrix.columns)
    precondition(records.count == step * rows.count * size && rows.upperBound <= matrix.rows)
    guard let base = records.baseAddress else { return }
    for (index, row) in rows.enumerated() {
      decode(base + (first + index * step) * size, into: matrix.row(row), count: matrix.columns)
    }
  }

  /// Replaces weights by what their records hold, of planes by what the high one stands for.
  ///
  /// - Precondition: It is no low plane, which stands for nothing alone.
  func round(_ matrix: Matrix) throws(UnstorableWeights) {
    precondition(plane != .low)
    var record = [UInt8](repeating: 0, count: rowBytes(columns: matrix.columns))
    try record.withUnsafeMutableBufferPointer { record throws(UnstorableWeights) in
      guard let base = UnsafeMutableRawPointer(record.baseAddress) else { return }
      for row in 0..<matrix.rows {
        // Codes of planes are put together bit by bit.
        record.update(repeating: 0)
        try encode(matrix.row(row), count: matrix.columns, into: base)
        decode(base, into: matrix.row(row), count: matrix.columns)
      }
    }
  }

  /// - Precondition: `record` is `rowBytes(columns: count)` zeros.
  private func encode(
    _ row: UnsafePointer<Float>, count: Int, into record: UnsafeMutableRawPointer
  ) throws(UnstorableWeights) {
    guard isFinite(row, count) else { throw .notFinite }
    switch self {
    case .f32:
      for i in 0..<count { record.storeBytes(of: row[i].bitPattern.littleEndian, toByteOffset: 4 * i, as: UInt32.self) }
    case .f16:
      // An exponent of all ones: infinite.
      try encodeHalves(row, count, infinity: 0x7C00, into: record) { FloatBits.f16(from: $0) }
    case .bf16:
      try encodeHalves(row, count, infinity: 0x7F80, into: record) { FloatBits.bf16(from: $0) }
    case .int8: try Int8Record.encode(row, count: count, into: record)
    case .q4: try Q4Record.encode(row, count: count, into: record)
    case .highNibbles: try NibblePlaneRecord.encode(.high, row, count: count, into: record)
    case .lowNibbles: try NibblePlaneRecord.encode(.low, row, count: count, into: record)
    case .highBytes: try BytePlaneRow.encode(.high, row, count: count, into: record)
    case .lowBytes: try BytePlaneRow.encode(.low, row, count: count, into: record)
    }
  }

  private func decode(_ record: UnsafeRawPointer, into row: UnsafeMutablePointer<Float>, count: Int) {
    switch self {
    case .f32:
      for i in 0..<count {
        row[i] = Float(bitPattern: UInt32(littleEndian: record.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self)))
      }
    case .f16: for i in 0..<count { row[i] = FloatBits.float(fromF16: record.littleEndianHalf(at: 2 * i)) }
    case .bf16: for i in 0..<count { row[i] = FloatBits.float(fromBF16: record.littleEndianHalf(at: 2 * i)) }
    case .int8: Int8Record.decode(record, into: row, count: count)
    case .q4: Q4Record.decode(record, into: row, count: count)
    case .highNibbles: NibblePlaneRecord.decode(high: record, into: row, count: count)
    case .lowNibbles: NibblePlaneRecord.complete(row, low: record, count: count)
    case .highBytes: BytePlaneRow.decode(high: record, into: row, count: count)
    case .lowBytes: BytePlaneRow.complete(row, low: record, count: count)
    }
  }

  @inline(__always)
  private func encodeHalves(
    _ row: UnsafePointer<Float>, _ count: Int, infinity: UInt16, into record: UnsafeMutableRawPointer,
    _ narrow: (Float) -> UInt16
  ) throws(UnstorableWeights) {
    var infinities = 0
    for i in 0..<count {
      let bits = narrow(row[i])
      infinities &+= bits & infinity == infinity ? 1 : 0
      record.storeBytes(of: bits.littleEndian, toByteOffset: 2 * i, as: UInt16.self)
    }
    guard infinities == 0 else { throw .outOfRange }
  }

  private func isFinite(_ row: UnsafePointer<Float>, _ count: Int) -> Bool {
    var others: UInt32 = 0
    for i in 0..<count { others |= row[i].magnitude.bitPattern >= Float.infinity.bitPattern ? 1 : 0 }
    return others == 0
  }
}

extension UnsafeRawPointer {
  @inline(__always)
  func littleEndianHalf(at offset: Int) -> UInt16 {
    UInt16(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }
}
