import LinearAlgebra
import SparseBundle
import ThresholdSolver
import Transformer

// Weights in planes, by the definition: each channel and input reads all bits, the high plane's, or none.
extension ReferenceToken {
  mutating func gradedProjections(
    _ layer: SparseModel.Layer, _ high: SparseModel.HighPlanes, _ input: [Float]
  ) -> (query: [Float], key: [Float], value: [Float]) {
    let (query, key, value) = (
      grade(input, .query, \.query, layer), grade(input, .key, \.key, layer), grade(input, .value, \.value, layer)
    )
    return (
      inputs(layer.query, high.query, input, query), inputs(layer.key, high.key, input, key),
      inputs(layer.value, high.value, input, value)
    )
  }

  mutating func gradedOutput(
    _ layer: SparseModel.Layer, _ high: SparseModel.HighPlanes, _ mixed: [Float]
  ) -> [Float] {
    inputs(layer.output, high.output, mixed, grade(mixed, .output, \.output, layer))
  }

  mutating func gradedProducts(
    _ layer: SparseModel.Layer, _ high: SparseModel.HighPlanes, _ normed: [Float]
  ) -> [Float] {
    let (input, channels) = (rounded(normed), 0..<layer.gate.rows)
    func product(_ gate: Matrix, _ up: Matrix, _ channel: Int, _ offsets: PlaneOffsets? = nil) -> Float {
      activation(dot(gate, row: channel, input) + (offsets?.gate[channel] ?? 0))
        * (dot(up, row: channel, input) + (offsets?.up[channel] ?? 0))
    }
    let scores = channels.map { product(high.gate, high.up, $0, layer.thresholds.offsets) }
    let grades = grade(scores, .ffn, \.ffn, layer)
    let products = channels.map { grades[$0] == .full ? product(layer.gate, layer.up, $0) : scores[$0] }
    return inputs(layer.down, high.down, products, grades)
  }

  /// Logits of the head, by both planes of the rows that are read whole; of all where there is no margin.
  mutating func gradedLogits(_ x: [Float], _ head: SparseModel.Head) -> [Float] {
    let logits = outputs(head.weight, x)
    guard !rule.isDense, let margin = head.margin, let high = head.high else { return logits }
    let coarse = head.offsets.map { add($0, to: outputs(high, x)) } ?? outputs(high, x)
    let greatest = coarse.reduce(-.infinity) { $1 > $0 ? $1 : $0 }
    var whole = coarse.map { $0 >= greatest - margin }
    decided.head.count(whole, rule)
    if case .recorded(_, let recorded?) = rule {
      for row in whole.indices where recorded[row] != whole[row] {
        disagreements.append(
          Disagreement(row: row, logit: coarse[row], least: greatest - margin, greatest: greatest))
      }
      whole = recorded
    }
    return logits.indices.map { whole[$0] ? logits[$0] : coarse[$0] }
  }

  /// How much of a channel's or an input's weights is read.
  private enum Grade { case none, half, full }

  /// What each of `x` is worth: everything where the place has no thresholds.
  private mutating func grade(
    _ x: [Float], _ place: Thresholds.Place, _ counts: WritableKeyPath<DecisionCounts, DecisionCounts.Place>,
    _ layer: SparseModel.Layer
  ) -> [Grade] {
    let thresholds = layer.thresholds
    let kept = keep(x, thresholds[place], layer) { $0[place] }
    let full = keep(x, thresholds.full?[place], layer) { $0.full?[place] }
    if thresholds[place] != nil { decided[keyPath: counts].count(kept, full: full, rule) }
    return zip(kept, full).map { !$0 ? .none : $1 ? .full : .half }
  }

  /// `W x` for a matrix with one row an input, of each input as much of its row as its grade says.
  private func inputs(_ both: Matrix, _ high: Matrix, _ x: [Float], _ grades: [Grade]) -> [Float] {
    var y = [Float](repeating: 0, count: both.columns)
    for input in x.indices where grades[input] != .none {
      let row = (grades[input] == .full ? both : high).row(input)
      for i in y.indices { y[i] += x[input] * row[i] }
    }
    return y
  }
}
