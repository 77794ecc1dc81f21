/// A text cut for measuring: documents in order, each followed by the end-of-text token, joined and cut
/// into windows of equal length that do not overlap. A last short window is left out.
public struct TokenWindows: Sendable {
  public let length: Int
  public private(set) var windows: [[Int32]] = []
  private let limit: Int
  private var pending: [Int32] = []

  /// - Parameter maximumTokens: The tokens of all windows together do not exceed this.
  public init(length: Int, maximumTokens: Int = .max) {
    precondition(length > 1)
    self.length = length
    limit = maximumTokens / length
  }

  /// Whether no further document is needed.
  public var isFull: Bool { windows.count >= limit }

  /// Adds a document's tokens. Complexity: O(tokens).
  public mutating func append(_ tokens: [Int32], endOfText: Int32) {
    pending += tokens + [endOfText]
    var start = 0
    while !isFull, pending.count - start >= length {
      windows.append(Array(pending[start..<start + length]))
      start += length
    }
    pending.removeFirst(start)
  }
}
