import ActivationStatistics

/// One layer of weights in planes, whose channels and inputs get nothing, half or all of their bits.
struct GradedLayer {
  private let products: GradedProducts
  private let query: GradedInputs
  private let key: GradedInputs
  private let value: GradedInputs
  private let output: GradedInputs

  /// `nil` where the statistics have no scores.
  init?(_ statistics: LayerStatistics, _ planes: PlaneErrors) {
    guard let scores = statistics.scores else { return nil }
    products = GradedProducts(scores, down: planes.down)
    query = GradedInputs(statistics.attentionInputCount, planes.query)
    key = GradedInputs(statistics.attentionInputCount, planes.key)
    value = GradedInputs(statistics.attentionInputCount, planes.value)
    output = GradedInputs(statistics.outputInputCount, planes.output)
  }

  /// The thresholds that leave out these shares of the bytes of each place that is graded.
  func thresholds(saving shares: BudgetShares, attention: Bool) -> Thresholds.Layer {
    let ffn = products.thresholds(bytesShare: 1 - shares.ffn)
    guard attention else { return Thresholds.Layer(ffn: ffn.half, full: GradedPlaces(ffn: ffn.full)) }
    let query = query.thresholds(bytesShare: 1 - shares.query)
    let key = key.thresholds(bytesShare: 1 - (shares.key ?? 0))
    let value = value.thresholds(bytesShare: 1 - (shares.value ?? 0))
    let output = output.thresholds(bytesShare: 1 - shares.output)
    return Thresholds.Layer(
      ffn: ffn.half, query: query.half, key: key.half, value: value.half, output: output.half,
      full: GradedPlaces(
        ffn: ffn.full, query: query.full, key: key.full, value: value.full, output: output.full))
  }
}

extension Thresholds.Layer {
  /// What graded thresholds drop, and read with all bits, of the text that the statistics describe.
  func gradedShares(_ statistics: LayerStatistics, _ full: GradedPlaces<[Float]>) -> Thresholds.Shares {
    func shares(_ half: [Float]?, _ full: [Float]?, _ counts: [Int64]) -> GradeShares? {
      guard let half, let full else { return nil }
      return GradeThresholds(half: half, full: full).shares(counts)
    }
    let ffn = shares(ffn, full.ffn, statistics.scores?.count ?? []) ?? GradeShares(dropped: 0, full: 1)
    let query = shares(query, full.query, statistics.attentionInputCount)
    let key = shares(key, full.key, statistics.attentionInputCount)
    let value = shares(value, full.value, statistics.attentionInputCount)
    let output = shares(output, full.output, statistics.outputInputCount)
    return Thresholds.Shares(
      ffn: ffn.dropped, query: query?.dropped, key: key?.dropped, value: value?.dropped, output: output?.dropped,
      full: GradedPlaces(
        ffn: ffn.full, query: query?.full, key: key?.full, value: value?.full, output: output?.full))
  }
}
