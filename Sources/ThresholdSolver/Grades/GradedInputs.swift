import ActivationStatistics

/// A projection of weights in planes whose inputs `x_j` are graded by their magnitude, which is known exactly: with λ the
/// price of one plane of a weight column,
///
///     drop   x_j² ‖W[:,j]‖²
///     half   x_j² ‖W[:,j] − Ŵ[:,j]‖²   + λ
///     full   0                         + 2 λ
///
/// so that both thresholds of an input follow from λ alone.
struct GradedInputs {
  private let counts: [Int64]
  private let columns: PlaneErrors.Columns

  /// - Parameter counts: Of the magnitudes, `[inputs, bins]`.
  init(_ counts: [Int64], _ columns: PlaneErrors.Columns) {
    precondition(counts.count == columns.squares.count * LogarithmicBins.count)
    self.counts = counts
    self.columns = columns
  }

  /// The thresholds that read this share of the projection's bytes.
  ///
  /// - Complexity: O(inputs), forty times.
  func thresholds(bytesShare: Double) -> GradeThresholds {
    guard bytesShare < 1 else { return .everything(channels: columns.squares.count) }
    let price = priceOfBytes(atShare: bytesShare) { price in
      let shares = thresholds(price: price).shares(counts)
      return (shares.half + 2 * shares.full) / 2
    }
    return thresholds(price: price)
  }

  private func thresholds(price: Double) -> GradeThresholds {
    var thresholds = GradeThresholds(half: [], full: [])
    for (square, error) in zip(columns.squares, columns.errors) {
      let saved = square - error
      // Where the high plane tells too little, nothing is left at half.
      let isGraded = error > 0 && saved > error
      let direct = (2 * price / max(square, .leastNormalMagnitude)).squareRoot()
      thresholds.half.append(Float(isGraded ? (price / saved).squareRoot() : direct))
      thresholds.full.append(Float(isGraded ? (price / error).squareRoot() : direct))
    }
    return thresholds
  }
}
