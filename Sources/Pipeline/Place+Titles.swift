import ThresholdSolver

extension Thresholds.Place {
  /// What is dropped there, for people.
  var title: String {
    switch self {
    case .ffn: "FFN rows"
    case .down: "down columns"
    case .input: "deciding rows' inputs"
    case .otherInput: "other rows' inputs"
    case .query: "query inputs"
    case .key: "key inputs"
    case .value: "value inputs"
    case .output: "output inputs"
    }
  }

  /// Places that only methods for comparison cut: tables have a column of one where any of these shares has it.
  static func rare(in shares: [Thresholds.Shares]) -> [Self] {
    [.otherInput, .key, .value].filter { place in shares.contains { $0[place] != nil } }
  }

  /// A rare place as the heading of a column.
  var heading: String { self == .otherInput ? "other inputs" : rawValue }
}
