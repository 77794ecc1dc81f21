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
  mutating func count(_ source: Matrix, storedAs stored: Matrix, isMatrix: Bool) {
    var equal = 0
    for i in 0..<source.count { equal &+= stored.base[i] == source.base[i] ? 1 : 0 }
    weights += source.count
    exactWeights += equal
    guard isMatrix else { return }
    matrices += 1
    exactMatrices += equal == source.count ? 1 : 0
  }
}
