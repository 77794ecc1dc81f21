import CSparseKernels

/// The function between the gate projection and the product with the up projection.
package enum KernelActivation: Sendable, CaseIterable {
  case silu, geluTanh

  var c: gambit_activation { self == .silu ? GAMBIT_SILU : GAMBIT_GELU_TANH }
}

/// Products of one vector with a matrix that read only the weights which a token keeps.
///
///     let kernels = SparseKernels(try .chosen(environment["GAMBIT_ISA"]))
///     kernels.prepare(x)
///     list.join([kernels.gate(gate, x, .silu, thresholds, rows: 0..<gate.rows, into: list)])
///     kernels.vmmsp(up, x, list, positions: 0..<list.count)
///     kernels.spvmm(down, list, positions: 0..<list.count, into: y, columns: 0..<down.columns)
///
/// Each call works on a part, on the calling thread; parts are disjoint in what they write, so that threads
/// need no lock. A row's product is the same however the work is shared out, and so is a column's sum where
/// columns are.
///
/// Shapes are checked once a call. Nothing is allocated.
package struct SparseKernels: @unchecked Sendable {
  package let instructionSet: InstructionSet
  let table: gambit_kernels  // functions only, never written: safe to share

  /// - Precondition: `set` is among `InstructionSet.supported`.
  package init(_ set: InstructionSet) {
    guard let table = set.table else { preconditionFailure("no kernels for \(set) on this processor") }
    (instructionSet, self.table) = (set, table.pointee)
  }

  /// Makes of `x.elements` what quantised weights are multiplied with. The same bits on every processor where `x`
  /// is rounded.
  ///
  /// - Complexity: O(`x.count`).
  package func prepare(_ x: KernelInput) { x.prepare(self) }

  /// `y[r] ← Σ_c w[r, c] · x[c]` for `rows`; `w` has one row an output.
  ///
  /// - Complexity: O(`rows.count` · `w.columns`).
  package func gemv(_ w: WeightMatrix, _ x: KernelInput, into y: UnsafeMutableBufferPointer<Float>, rows: Range<Int>) {
    precondition(x.count == w.columns && y.count == w.rows && rows.within(w.rows))
    var (matrix, input) = (w.c, x.c(self, w.type))
    table.gemv(&matrix, &input, y.baseAddress, rows.c)
  }

  /// `y[c] ← y[c] + Σ_k value_k · w[channel_k, c]` for `columns`, over the list's `positions`; `w` has one row
  /// an input, and rows that are not listed are not read.
  ///
  /// - Complexity: O(`positions.count` · `columns.count`).
  package func spvmm(
    _ w: WeightMatrix, _ list: KeptList, positions: Range<Int>, into y: UnsafeMutableBufferPointer<Float>,
    columns: Range<Int>
  ) {
    spvmm(ListedRows(w, list, positions), into: y, columns: columns)
  }

  /// `value_k ← value_k · Σ_c w[channel_k, c] · x[c]` at the list's `positions`; `w` has one row an output, and
  /// rows that are not listed are not read.
  ///
  /// - Complexity: O(`positions.count` · `w.columns`).
  package func vmmsp(_ w: WeightMatrix, _ x: KernelInput, _ list: KeptList, positions: Range<Int>) {
    precondition(x.count == w.columns && list.channels == w.rows && positions.within(list.count))
    var (matrix, input) = (w.c, x.c(self, w.type))
    let values = list.values + positions.lowerBound
    table.vmmsp(&matrix, &input, list.indices + positions.lowerBound, values, positions.count, values)
  }

  /// Finds `g = activation(w x)` for `rows` and keeps channels with |g| ≥ threshold, thus never one that is not
  /// a number. Returns the part of `list` that it wrote, which `join` makes visible.
  ///
  /// - Parameter thresholds: One a row of `w`, or one for all.
  /// - Complexity: O(`rows.count` · `w.columns`).
  package func gate(
    _ w: WeightMatrix, _ x: KernelInput, _ activation: KernelActivation, _ thresholds: UnsafeBufferPointer<Float>,
    rows: Range<Int>, into list: KeptList
  ) -> Range<Int> {
    decide(FactorMatrices(gate: w, up: w, activation), x, thresholds, channels: rows, into: list)
  }

  /// Keeps `channels` with |x| ≥ threshold, thus never one that is not a number, with x as their values.
  /// Returns the part of `list` that it wrote, which `join` makes visible.
  ///
  /// - Parameter thresholds: One a channel, or one for all.
  /// - Complexity: O(`channels.count`).
  package func select(
    _ x: UnsafeBufferPointer<Float>, _ thresholds: UnsafeBufferPointer<Float>, channels: Range<Int>,
    into list: KeptList
  ) -> Range<Int> {
    precondition(x.count == list.channels && channels.within(x.count))
    // An empty vector has no address, and nothing to select.
    guard let values = x.baseAddress else { return 0..<0 }
    let count = table.select(
      values, thresholds.c(channels: x.count), list.part(from: channels.lowerBound), channels.c)
    return channels.lowerBound..<channels.lowerBound + count
  }
}

extension Range<Int> {
  func within(_ count: Int) -> Bool { lowerBound >= 0 && upperBound <= count }
  var c: gambit_range { gambit_range(first: lowerBound, end: upperBound) }
}

extension UnsafeBufferPointer<Float> {
  func c(channels: Int) -> gambit_thresholds {
    precondition(count == 1 || count == channels)
    return gambit_thresholds(values: baseAddress, step: count == channels ? 1 : 0)
  }
}
