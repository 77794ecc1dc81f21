import SparseBundle

// What several formats cannot carry.
extension ModelBundle {
  /// - Throws: ``HandoffError/cannotCarry(_:format:instead:)`` where weights are in planes.
  func requireWholeWeights(for format: HandoffFormat) throws(HandoffError) {
    guard !manifest.weights.type.isInPlanes else {
      throw .cannotCarry(
        "weights in planes, which its thresholds grade", format: format, instead: "export thresholds of another method")
    }
  }

  /// - Throws: ``HandoffError/cannotCarry(_:format:instead:)`` where weights are in planes, the up projection decides, or
  ///   there are second or input cuts.
  func requireThresholdsOnGatesAlone(for format: HandoffFormat) throws(HandoffError) {
    try requireWholeWeights(for: format)
    let others = [
      ("channels that the up projection decides about", thresholds.layers.contains { $0.upDecides != nil }),
      ("second cuts, on products", thresholds.layers.contains { $0.product != nil }),
      ("cuts of the FFN's inputs", thresholds.layers.contains { $0.input != nil || $0.otherInput != nil }),
      ("biases of the FFN's output", thresholds.layers.contains { $0.bias != nil }),
    ]
    for case (let what, true) in others {
      throw .cannotCarry(what, format: format, instead: "export thresholds of the method 'chess' or 'cats'")
    }
  }
}
