import SparseKernels
import Testing

/// A matrix whose last byte is followed by an unreadable page, and what its elements really are.
struct GuardedMatrix {
  let weights: WeightMatrix
  /// What elements are, without the minimum of nibbles: `[rows, columns]`.
  private let products: [Double]
  /// Of nibbles: `[rows, columns]`.
  private let minima: [Double]
  private let memory: GuardedMemory
  /// Of low bytes the high ones.
  private let high: GuardedMemory?

  /// Stores `values`, rounded to `type`.
  init(_ values: [Float], rows: Int, columns: Int, _ type: ElementType) throws {
    let rowBytes = try #require(type.rowBytes(columns: columns))
    memory = try GuardedMemory(count: rows * rowBytes)
    var minima: [Double] = []
    var high: (memory: GuardedMemory, weights: WeightMatrix)?
    switch type {
    case .float32:
      _ = memory.bytes.bindMemory(to: Float.self).update(fromContentsOf: values)
      products = values.map(Double.init)
    case .float16:
      let halves = values.map { Float16($0) }
      _ = memory.bytes.bindMemory(to: Float16.self).update(fromContentsOf: halves)
      products = halves.map { Double($0) }
    case .bfloat16:
      let halves = values.map { UInt16(truncatingIfNeeded: $0.bitPattern >> 16) }
      _ = memory.bytes.bindMemory(to: UInt16.self).update(fromContentsOf: halves)
      products = halves.map { Double(Float(bitPattern: UInt32($0) << 16)) }
    case .highBytes, .lowBytes:
      let halves = values.map { Float16($0) }
      let middles = halves.map { Float16(bitPattern: $0.bitPattern & 0xFF00 | 128) }
      let upper = halves.map { UInt8($0.bitPattern >> 8) }
      if type == .highBytes {
        memory.bytes.copyBytes(from: upper)
        products = middles.map { Double($0) }
      } else {
        memory.bytes.copyBytes(from: halves.map { UInt8($0.bitPattern & 255) })
        products = zip(halves, middles).map { Double($0) - Double($1) }
        let own = try GuardedMemory(count: upper.count)
        own.bytes.copyBytes(from: upper)
        let bytes = UnsafeRawBufferPointer(own.bytes)
        high = (own, try #require(WeightMatrix(bytes, rows: rows, columns: columns, type: .highBytes)))
      }
    case .int8, .q4, .highNibbles, .lowNibbles:
      let records = (0..<rows).map {
        QuantisedRow(Array(values[$0 * columns..<($0 + 1) * columns]), type)
      }
      for (row, record) in records.enumerated() {
        #expect(record.bytes.count == rowBytes)
        UnsafeMutableRawBufferPointer(rebasing: memory.bytes[(row * rowBytes)...]).copyBytes(from: record.bytes)
      }
      products = records.flatMap(\.products)
      minima = records.flatMap(\.minima)
    }
    self.minima = minima
    self.high = high?.memory
    weights = try #require(
      WeightMatrix(
        UnsafeRawBufferPointer(memory.bytes), rows: rows, columns: columns, type: type, high: high?.weights))
  }

  /// Adds what element `[row, column]` makes of `factor` to `sum`.
  func add(row: Int, column: Int, times factor: Float, to sum: inout ExactSum) {
    let index = row * weights.columns + column
    sum.add(products[index], Double(factor))
    if !minima.isEmpty { sum.add(minima[index], Double(factor)) }
  }
}
