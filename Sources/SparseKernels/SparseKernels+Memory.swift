import CSparseKernels

// What reads memory other than weights.
extension SparseKernels {
  /// One attention head: `out ← Σ_p softmax(scale · keys q)_p · values_p`.
  ///
  /// - Parameters:
  ///   - q: `[width]`
  ///   - keys: `[positions, width]`, a row every `stride` floats.
  ///   - values: Like `keys`.
  ///   - scores: Room for `positions`; the softmax afterwards.
  ///   - out: `[width]`, zeros where there are no positions.
  /// - Precondition: `stride` is at least `width`, and memory is as large as that.
  /// - Complexity: O(`positions` · `width`).
  package func attend(
    _ q: UnsafePointer<Float>, keys: UnsafePointer<Float>, values: UnsafePointer<Float>, positions: Int, stride: Int,
    width: Int, scale: Float, scores: UnsafeMutablePointer<Float>, into out: UnsafeMutablePointer<Float>
  ) {
    precondition(positions >= 0 && width >= 0 && stride >= width)
    table.attend(
      q, gambit_cached(first: keys, stride: stride), gambit_cached(first: values, stride: stride), positions, width,
      scale, scores, out)
  }

  /// The sum of all bytes, read as fast as one core can: how long that takes says how fast memory is.
  ///
  /// - Complexity: O(`memory.count`).
  package func sumBytes(_ memory: UnsafeRawBufferPointer) -> UInt64 {
    guard let base = memory.baseAddress else { return 0 }
    return table.sum_bytes(base.assumingMemoryBound(to: UInt8.self), memory.count)
  }
}
