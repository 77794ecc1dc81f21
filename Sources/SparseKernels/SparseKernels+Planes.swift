import CSparseKernels

// Precision on demand: 8-bit weights in two planes of 4 bits. The high planes of gate and up are read for every
// channel, whose product then says how many bits of the channel are worth reading: none, half or all of them.
//
//     kernels.gemv(highPlanes, x, into: sums, rows: 0..<highPlanes.rows)
//     let parts = kernels.grade(sums, nil, .silu, half: h, full: f, channels: 0..<channels, into: half, full)
//     half.join([parts.half])
//     full.join([parts.full])
//     kernels.refine(lowPlanes, x, .silu, full, positions: 0..<full.count, sums: sums)
//
// Matrices and sums have the rows of gate and up in turn: of channel c the gate's is row 2c, the up projection's 2c + 1.
extension SparseKernels {
  /// Finds the products `activation(gate sum) · up sum` of `channels`, from sums with `offsets` added, and lists them by their magnitude: those that
  /// reach the threshold for all bits in `full`, others that reach that for half of them in `half`, thus never one that
  /// is not a number, with the products as their values. `refine` makes those of `full` anew. Returns the parts that it
  /// wrote, which `join` makes visible; both begin at `channels.lowerBound`.
  ///
  /// - Parameters:
  ///   - sums: `[2 · channels]`, gate and up in turn.
  ///   - offsets: As many; none where it is `nil`.
  ///   - halfThresholds: One a channel, or one for all.
  ///   - fullThresholds: Likewise, none below that for half.
  /// - Complexity: O(`channels.count`).
  package func grade(
    _ sums: UnsafeBufferPointer<Float>, _ offsets: UnsafeBufferPointer<Float>?, _ activation: KernelActivation,
    half halfThresholds: UnsafeBufferPointer<Float>, full fullThresholds: UnsafeBufferPointer<Float>,
    channels: Range<Int>, into half: KeptList, _ full: KeptList
  ) -> (half: Range<Int>, full: Range<Int>) {
    precondition(half !== full && half.channels == full.channels && channels.within(full.channels))
    precondition(sums.count == 2 * full.channels && offsets?.count ?? sums.count == sums.count)
    // No channels have no address, and nothing to grade.
    guard let values = sums.baseAddress else { return (0..<0, 0..<0) }
    let first = channels.lowerBound
    let counts = gambit_grade(
      values, offsets?.baseAddress, activation.c, halfThresholds.c(channels: full.channels),
      fullThresholds.c(channels: full.channels),
      half.part(from: first), full.part(from: first), channels.c)
    return (first..<first + counts.half, first..<first + counts.full)
  }

  /// Adds the products of rows 2c and 2c + 1 of `w` with `x` to `sums[2c]` and `sums[2c + 1]` for the channels c at the
  /// list's `positions`, and makes `value_k ← activation(sums[2c]) · sums[2c + 1]` of them. Only listed channels' rows
  /// are read, and only their sums are touched.
  ///
  /// - Parameter sums: `[2 · channels]`, gate and up in turn.
  /// - Precondition: `w` has two rows a channel of the list.
  /// - Complexity: O(`positions.count` · `w.columns`).
  package func refine(
    _ w: WeightMatrix, _ x: KernelInput, _ activation: KernelActivation, _ list: KeptList, positions: Range<Int>,
    sums: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(x.count == w.columns && w.rows == 2 * list.channels && positions.within(list.count))
    precondition(sums.count == w.rows)
    var (matrix, input) = (w.c, x.c(self, w.type))
    let first = positions.lowerBound
    table.refine(
      &matrix, &input, activation.c, list.indices + first, positions.count, sums.baseAddress, list.values + first)
  }
}
