import Checkpoints

/// How the rows of one stored tensor lie: one after the other, each in a record of its own.
package enum RowFormat: Sendable, CaseIterable {
  case f32, f16, bf16
  /// Codes of 8 bits, a scale for each 32 weights.
  case int8
  /// Codes of 4 bits, a scale and a minimum for each 32 weights.
  case q4
  /// The upper and the lower four bits of codes of 8 bits, a scale for each 32 weights in either, see ``NibblePlaneRecord``.
  case highNibbles, lowNibbles
  /// The upper and the lower byte of binary16, see ``BytePlaneRow``.
  case highBytes, lowBytes
}

extension RowFormat {
  /// Which half of the weights' bits it holds; `nil` where it holds them whole.
  package var plane: WeightPlane? {
    switch self {
    case .highNibbles, .highBytes: .high
    case .lowNibbles, .lowBytes: .low
    case .f32, .f16, .bf16, .int8, .q4: nil
    }
  }

  /// Size of the record of a row, in bytes.
  package func rowBytes(columns: Int) -> Int {
    switch self {
    case .f32: 4 * columns
    case .f16, .bf16: 2 * columns
    case .int8: Int8Record.size(columns: columns)
    case .q4: Q4Record.size(columns: columns)
    case .highNibbles, .lowNibbles: NibblePlaneRecord.size(columns: columns)
    case .highBytes, .lowBytes: columns
    }
  }

  /// What a tensor of `shape` is in a safetensors file: records are bytes to it.
  func description(named name: String, shape: [Int]) -> SafetensorsHeader.Description {
    switch self {
    case .f32: .init(name: name, type: .f32, shape: shape)
    case .f16: .init(name: name, type: .f16, shape: shape)
    case .bf16: .init(name: name, type: .bf16, shape: shape)
    case .int8, .q4, .highNibbles, .lowNibbles, .highBytes, .lowBytes:
      .init(name: name, type: .u8, shape: shape.dropLast() + [rowBytes(columns: shape.last ?? 0)])
    }
  }
}

extension RowFormat {
  /// Whether rows are bytes to the file, of which not every one is possible.
  var hasRecords: Bool {
    switch self {
    case .f32, .f16, .bf16: false
    case .int8, .q4, .highNibbles, .lowNibbles, .highBytes, .lowBytes: true
    }
  }

  /// What is wrong with a row that no encoder writes; `nil` where nothing is.
  ///
  /// - Parameter records: The row's one record, or those of both planes, the high one first.
  func fault(_ records: [ArraySlice<UInt8>], columns: Int) -> RecordFault? {
    records[0].withUnsafeBytes { first in
      switch self {
      case .f32, .f16, .bf16: nil
      case .int8: Int8Record.fault(first, columns: columns)
      case .q4: Q4Record.fault(first, columns: columns)
      case .highNibbles, .lowNibbles:
        records[1].withUnsafeBytes { NibblePlaneRecord.fault(high: first, low: $0, columns: columns) }
      case .highBytes, .lowBytes: BytePlaneRow.fault(high: first)
      }
    }
  }
}
