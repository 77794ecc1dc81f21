import LinearAlgebra

/// How many weights of a bundle are exactly the source model's.
public struct ExactWeights: Sendable, Equatable, Encodable {
  public private(set) var weights = 0
  public private(set) var exactWeights = 0
  /// Matrices, and those of which every weight is exact.
  public private(set) var matrices = 0
  public private(set) var exactMatrices = 0

  /// From 0 to 1.
  public var share: Double { weights == 0 ? 1 : Double(exactWeights) / Double(weights) }

  /// Adds one tensor. Complexity: O(its weights).
  ///
  /// - Parameter stored: Some rows as they are stored; asked for all `blocks` of them in turn.
  mutating func count(
    _ source: Matrix, isMatrix: Bool, in blocks: [Range<Int>], stored: (_ block: Range<Int>) throws -> Matrix
  ) rethrows {
    var equal = 0
    for block in blocks {
      let (values, rows) = (try stored(block), source.row(block.lowerBound))
      for i in 0..<values.count { equal &+= values.base[i] == rows[i] ? 1 : 0 }
    }
    weights += source.count
    exactWeights += equal
    guard isMatrix else { return }
    matrices += 1
    exactMatrices += equal == source.count ? 1 : 0
  }
}
