import CSparseKernels

// An output head in planes: the high planes of all rows say which rows may be among the likely ones, and only these are
// worth their low planes.
//
//     kernels.gemv(highPlanes, x, into: logits, rows: 0..<logits.count)
//     let least = kernels.greatest(logits, 0..<logits.count) - margin
//     list.join([kernels.select(logits, from: least, channels: 0..<logits.count, into: list)])
//     kernels.addListed(lowPlanes, x, list, positions: 0..<list.count, to: logits)
extension SparseKernels {
  /// The greatest number of a range, whatever else is in it; minus infinity where there is none.
  ///
  /// - Complexity: O(`range.count`).
  package func greatest(_ x: UnsafeBufferPointer<Float>, _ range: Range<Int>) -> Float {
    precondition(range.within(x.count))
    guard let values = x.baseAddress else { return -.infinity }
    return gambit_greatest(values, range.c)
  }

  /// Keeps `channels` with x ≥ `least`, thus never one that is not a number, with 1 as their values. Returns the part of
  /// `list` that it wrote, which `join` makes visible.
  ///
  /// - Complexity: O(`channels.count`).
  package func select(
    _ x: UnsafeBufferPointer<Float>, from least: Float, channels: Range<Int>, into list: KeptList
  ) -> Range<Int> {
    precondition(x.count == list.channels && channels.within(x.count))
    // An empty vector has no address, and nothing to select.
    guard let values = x.baseAddress else { return 0..<0 }
    let count = gambit_select_from(values, least, list.part(from: channels.lowerBound), channels.c)
    return channels.lowerBound..<channels.lowerBound + count
  }

  /// `y[channel_k] ← y[channel_k] + value_k · Σ_c w[channel_k, c] · x[c]` at the list's `positions`, whose values become
  /// what was added; `w` has one row an output, and rows that are not listed are not read.
  ///
  /// - Parameter offsets: Taken away from the listed channels of `y`; nothing is where it is `nil`.
  /// - Complexity: O(`positions.count` · `w.columns`).
  package func addListed(
    _ w: WeightMatrix, _ x: KernelInput, _ list: KeptList, positions: Range<Int>,
    to y: UnsafeMutableBufferPointer<Float>, less offsets: UnsafeBufferPointer<Float>? = nil
  ) {
    precondition(y.count == w.rows && offsets?.count ?? y.count == y.count)
    vmmsp(w, x, list, positions: positions)
    for k in positions {
      let channel = Int(list.indices[k])
      y[channel] += list.values[k] - (offsets?[channel] ?? 0)
    }
  }
}
