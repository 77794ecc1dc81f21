/// A value of a GGUF file's metadata. The widths of numbers in the file are not kept.
public enum GGUFValue: Sendable, Equatable {
  case signed(Int64)
  case unsigned(UInt64)
  case float(Double)
  case bool(Bool)
  case string(String)
  case signedArray([Int64])
  case unsignedArray([UInt64])
  case floatArray([Double])
  case boolArray([Bool])
  case stringArray([String])
}

extension GGUFValue {
  /// The number, where it is an integer that fits.
  public var integer: Int? {
    switch self {
    case .signed(let value): Int(exactly: value)
    case .unsigned(let value): Int(exactly: value)
    default: nil
    }
  }

  /// The elements, where they are integers that fit.
  public var integers: [Int]? {
    switch self {
    case .signedArray(let values): exactly(values)
    case .unsignedArray(let values): exactly(values)
    default: nil
    }
  }

  private func exactly(_ values: [some BinaryInteger]) -> [Int]? {
    let integers = values.compactMap { Int(exactly: $0) }
    return integers.count == values.count ? integers : nil
  }
}

/// The type numbers of the format, as they stand before each value.
package enum GGUFValueType: UInt32 {
  case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

  /// The fewest bytes that one value takes: a string is at least its length.
  package var minimumSize: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64, .string: 8
    case .array: 12
    }
  }
}
