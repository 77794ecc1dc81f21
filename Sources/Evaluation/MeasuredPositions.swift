/// At which positions of a window thresholds act. Only what these predict is counted.
public enum MeasuredPositions: String, Sendable, Codable, CaseIterable {
  /// All of them.
  case all
  /// As a runtime decodes: the first half of a window is its prompt and is read densely but for its last token,
  /// which is decoded; that token and the rest are sparse, and predict the second half.
  case decode

  /// Tokens of a window that run dense and predict nothing that counts.
  func promptLength(window: Int) -> Int {
    switch self {
    case .all: 0
    case .decode: max(window / 2 - 1, 0)
    }
  }
}
