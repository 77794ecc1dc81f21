extension LayerStatistics {
  /// What does not fit together; `nil` where these can be statistics of `tokens` tokens.
  ///
  /// HDF5 keeps checksums of numbers but not of where they lie: a damaged index of chunks reads as zeros,
  /// and this is what notices it. Complexity: O(channels · bins).
  func contradiction(tokens: Int) -> String? {
    let histograms = [
      gate.count, up.count, productCount, ffnInputCount, attentionInputCount, outputInputCount, scores?.count,
    ].compactMap { $0 }
    guard histograms.allSatisfy({ $0.sumsByChannel.allSatisfy { $0 == tokens } }) else {
      return "a histogram does not count \(tokens) tokens"
    }
    // Both factors bin the same products.
    guard gate.energy.units.sumsByChannel == up.energy.units.sumsByChannel,
      scores.map({ $0.energy.units.sumsByChannel == gate.energy.units.sumsByChannel }) ?? true,
      gate.sum.units.sumsByChannel == up.sum.units.sumsByChannel
    else { return "the sums of g*u differ between the histograms of one layer" }
    guard gate.momentsReachTheirBins, up.momentsReachTheirBins else {
      return "a channel's sums are smaller than its histogram allows"
    }
    return nil
  }
}

extension FactorStatistics {
  /// Whether no channel's Σ|x| and Σx² are less than if each value were its bin's lower edge.
  fileprivate var momentsReachTheirBins: Bool {
    let bins = LogarithmicBins.count
    let (absolute, square) = (absoluteSum.values, squareSum.values)
    return absolute.indices.allSatisfy { channel in
      var least = (absolute: 0.0, square: 0.0)
      for bin in 0..<bins {
        let tokens = Double(count[channel * bins + bin])
        let edge = LogarithmicBins.edges[bin]
        least.absolute += tokens * (edge - ExactSums.quantum)
        least.square += tokens * (edge * edge - ExactSums.quantum)
      }
      // The least sums are themselves rounded.
      return absolute[channel] >= least.absolute * (1 - 1e-9) && square[channel] >= least.square * (1 - 1e-9)
    }
  }
}

extension Array where Element: FixedWidthInteger {
  /// One sum a channel of `[channels, bins]`, wrapping.
  fileprivate var sumsByChannel: [Element] {
    let bins = LogarithmicBins.count
    return stride(from: 0, to: count, by: bins).map { self[$0..<$0 + bins].reduce(0, &+) }
  }
}
