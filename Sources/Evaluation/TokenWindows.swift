/// A text cut for measuring: documents in order, each followed by the end-of-text token, joined and cut
/// into windows of equal length that do not overlap. A last short window is left out.
public struct TokenWindows: Sendable {
  public let length: Int
  public private(set) var windows: [[Int32]] = []
  /// Of every token of every window which document it is of, counted from 0. An end-of-text token is of the
  /// document that it ends.
  public private(set) var documents: [[Int]] = []
  private let limit: Int
  private var pending: [Int32] = []
  private var pendingDocuments: [Int] = []
  private var count = 0

  /// - Parameter maximumTokens: The tokens of all windows together do not exceed this.
  public init(length: Int, maximumTokens: Int = .max) {
    precondition(length > 1)
    self.length = length
    limit = maximumTokens / length
  }

  /// Windows of any lengths that are cut already, each a document of its own.
  public init(_ windows: [[Int32]]) {
    self.windows = windows
    documents = windows.enumerated().map { [Int](repeating: $0, count: $1.count) }
    length = windows.map(\.count).max() ?? 0
    limit = windows.count
  }

  /// Whether no further document is needed.
  public var isFull: Bool { windows.count >= limit }

  /// The same with another first token in each window.
  public func beginning(with token: Int32) -> TokenWindows {
    var begun = self
    begun.windows = windows.map { [token] + $0.dropFirst() }
    return begun
  }

  /// Adds a document's tokens. Complexity: O(tokens).
  public mutating func append(_ tokens: [Int32], endOfText: Int32) {
    pending += tokens + [endOfText]
    pendingDocuments += [Int](repeating: count, count: tokens.count + 1)
    count += 1
    var start = 0
    while !isFull, pending.count - start >= length {
      windows.append(Array(pending[start..<start + length]))
      documents.append(Array(pendingDocuments[start..<start + length]))
      start += length
    }
    pending.removeFirst(start)
    pendingDocuments.removeFirst(start)
  }
}
