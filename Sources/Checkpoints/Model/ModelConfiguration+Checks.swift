extension ModelConfiguration {
  /// Sizes above these are no model but a damaged file; below them, counts of weights stay within `Int`.
  private static let sizeLimit = 1 << 22
  private static let layerLimit = 1 << 12
  private static let contextLimit = 1 << 30

  /// What is contradictory or absurd about the hyper-parameters; `nil` where nothing is.
  var problem: String? {
    let sizes = [
      ("hidden size", hiddenSize), ("intermediate size", intermediateSize), ("head count", headCount),
      ("key-value head count", keyValueHeadCount), ("head dimension", headDimension),
      ("vocabulary size", vocabularySize),
    ]
    for (name, size) in sizes where !(1...Self.sizeLimit).contains(size) { return "its \(name) is \(size)" }
    guard (1...Self.layerLimit).contains(layerCount) else { return "its layer count is \(layerCount)" }
    guard queryWidth <= Self.sizeLimit else { return "its heads are \(queryWidth) wide in all" }
    guard headCount.isMultiple(of: keyValueHeadCount) else {
      return "its \(headCount) heads cannot share \(keyValueHeadCount) key-value heads evenly"
    }
    guard headDimension.isMultiple(of: 2) else { return "its head dimension \(headDimension) is odd" }
    guard (1...Self.contextLimit).contains(contextLength) else { return "its context length is \(contextLength)" }
    guard normEpsilon.isFinite, normEpsilon >= 0 else { return "the epsilon of its norms is \(normEpsilon)" }
    guard ropeBase.isFinite, ropeBase > 0 else { return "the base of its rotary positions is \(ropeBase)" }
    if let base = localRopeBase, !(base.isFinite && base > 0) {
      return "the base of its local rotary positions is \(base)"
    }
    if let scalar = queryPreAttentionScalar, !(scalar.isFinite && scalar > 0) {
      return "its query pre-attention scalar is \(scalar)"
    }
    if let window = slidingWindow, window < 1 { return "its sliding window is \(window)" }
    if let layers = globalLayers?.count, layers != layerCount {
      return "its layer types are \(layers) for \(layerCount) layers"
    }
    if let divisors = ropeFrequencyDivisors {
      guard divisors.count == headDimension / 2, divisors.allSatisfy({ $0.isFinite && $0 > 0 }) else {
        return "its rotary frequency divisors are not \(headDimension / 2) positive numbers"
      }
    }
    return nil
  }
}
