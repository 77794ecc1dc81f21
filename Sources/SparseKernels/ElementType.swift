/// How a weight is stored.
///
/// The quantised types store each row as one record: codes of groups of 32 along the columns (zeros beyond the
/// last), a float16 scale a group, for `q4` a float16 minimum a group, and, except in planes, zeros up to a multiple of
/// 64 bytes.
///
/// Weights in planes are two matrices, each with half of the bits of every weight, whose values add up to the weights:
/// nibbles to codes c of 8 bits, −127 to 127, with the same scales, c + 128 = 16 · high + low; bytes to float16.
package enum ElementType: Sendable, CaseIterable {
  case float32, float16, bfloat16
  /// Signed bytes: value = code · scale.
  case int8
  /// Sixteen bytes a group; of byte i the low half is the code of element i, the high half that of element i + 16:
  /// value = code · scale + minimum.
  case q4
  /// Codes as `q4` has them: value = (16 · code − 120.5) · scale, the low plane taken to be its middle.
  case highNibbles
  /// Codes as `q4` has them: value = (code − 7.5) · scale.
  case lowNibbles
  /// value = f16(256 · byte + 128), the low byte taken to be its middle.
  case highBytes
  /// value = f16(256 · high + byte) − f16(256 · high + 128), with the byte of the high matrix.
  case lowBytes

  /// Columns that share a scale, in the quantised types.
  package static let group = 32

  /// Whether groups of columns share a scale.
  package var isQuantised: Bool {
    switch self {
    case .float32, .float16, .bfloat16, .highBytes, .lowBytes: false
    case .int8, .q4, .highNibbles, .lowNibbles: true
    }
  }

  /// What a matrix' address must be a multiple of, in bytes.
  package var alignment: Int {
    switch self {
    case .float32: 4
    case .highBytes, .lowBytes: 1
    case .float16, .bfloat16, .int8, .q4, .highNibbles, .lowNibbles: 2
    }
  }

  /// Bytes from one row to the next; nil where `columns` is negative or that many do not fit an `Int`.
  package func rowBytes(columns: Int) -> Int? {
    guard columns >= 0, columns <= Int.max / 8 else { return nil }
    let groups = (columns + Self.group - 1) / Self.group
    return switch self {
    case .float32: 4 * columns
    case .float16, .bfloat16: 2 * columns
    case .highBytes, .lowBytes: columns
    case .int8: (groups * (32 + 2) + 63) / 64 * 64
    case .q4: (groups * (16 + 4) + 63) / 64 * 64
    case .highNibbles, .lowNibbles: groups * (16 + 2)
    }
  }
}
