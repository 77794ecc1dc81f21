/// How a tensor's weights lie in a file: single floats, or blocks of small integers with their scales.
///
/// Raw values are GGUF's type numbers.
// swift-format-ignore: AlwaysUseLowerCamelCase
public enum WeightEncoding: UInt32, Sendable, CaseIterable {
  case f32 = 0
  case f16 = 1
  case q4_0 = 2
  case q4_1 = 3
  case q5_0 = 6
  case q5_1 = 7
  case q8_0 = 8
  case q2_K = 10
  case q3_K = 11
  case q4_K = 12
  case q5_K = 13
  case q6_K = 14
  case iq4_NL = 20
  case bf16 = 30

  /// The name by which the field knows it, such as `Q4_K`.
  public var name: String {
    switch self {
    case .f32: "F32"
    case .f16: "F16"
    case .bf16: "BF16"
    case .q4_0: "Q4_0"
    case .q4_1: "Q4_1"
    case .q5_0: "Q5_0"
    case .q5_1: "Q5_1"
    case .q8_0: "Q8_0"
    case .q2_K: "Q2_K"
    case .q3_K: "Q3_K"
    case .q4_K: "Q4_K"
    case .q5_K: "Q5_K"
    case .q6_K: "Q6_K"
    case .iq4_NL: "IQ4_NL"
    }
  }

  /// Weights that share one block, and so the unit in which rows are cut.
  public var weightsPerBlock: Int {
    switch self {
    case .f32, .f16, .bf16: 1
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .iq4_NL: 32
    case .q2_K, .q3_K, .q4_K, .q5_K, .q6_K: 256
    }
  }

  /// Size of one block, in bytes.
  public var bytesPerBlock: Int {
    switch self {
    case .f32: 4
    case .f16, .bf16: 2
    case .q4_0, .iq4_NL: 18
    case .q4_1: 20
    case .q5_0: 22
    case .q5_1: 24
    case .q8_0: 34
    case .q2_K: 84
    case .q3_K: 110
    case .q4_K: 144
    case .q5_K: 176
    case .q6_K: 210
    }
  }

  /// Size of `count` weights in bytes; `nil` where they don't fill whole blocks or the size exceeds `Int`.
  func byteCount(of count: Int) -> Int? {
    guard count >= 0, count.isMultiple(of: weightsPerBlock) else { return nil }
    let (bytes, overflow) = (count / weightsPerBlock).multipliedReportingOverflow(by: bytesPerBlock)
    return overflow ? nil : bytes
  }
}
