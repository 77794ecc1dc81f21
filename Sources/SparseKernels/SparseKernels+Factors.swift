import CSparseKernels

/// The two projections whose rows make a channel's factors `g = activation(gate row · x)` and `u = up row · x`, and
/// which of them decides whether the channel is kept.
package struct FactorMatrices {
  let rows: Int
  let columns: Int
  let type: ElementType
  fileprivate let c: gambit_factors

  /// - Parameter upDecides: A byte a channel: 0 where the gate decides, anything else where the up projection does;
  ///   nil where the gate always does. It must stay alive and unchanged while kernels read it.
  /// - Precondition: Both matrices have one shape and type.
  package init(
    gate: WeightMatrix, up: WeightMatrix, _ activation: KernelActivation,
    upDecides: UnsafeBufferPointer<UInt8>? = nil
  ) {
    precondition(gate.rows == up.rows && gate.columns == up.columns && gate.type == up.type)
    precondition(upDecides == nil || upDecides?.count == gate.rows)
    (rows, columns, type) = (gate.rows, gate.columns, gate.type)
    c = gambit_factors(
      gate: gate.c, up: up.c, up_decides: upDecides?.baseAddress, activation: activation.c)
  }
}

// Channels that have a source each: He et al. let the gate decide for all.
extension SparseKernels {
  /// Finds the deciding factor of `channels` and keeps those with |factor| ≥ threshold, thus never one that is not
  /// a number, with that factor as their values. Returns the part of `list` that it wrote, which `join` makes
  /// visible. Only deciding rows are read.
  ///
  /// - Parameter thresholds: One a channel, or one for all.
  /// - Complexity: O(`channels.count` · columns).
  package func decide(
    _ factors: FactorMatrices, _ x: KernelInput, _ thresholds: UnsafeBufferPointer<Float>, channels: Range<Int>,
    into list: KeptList
  ) -> Range<Int> {
    precondition(x.count == factors.columns && list.channels == factors.rows && channels.within(factors.rows))
    var (matrices, input) = (factors.c, x.c(self, factors.type))
    let count = table.decide(
      &matrices, &input, thresholds.c(channels: factors.rows), list.part(from: channels.lowerBound), channels.c)
    return channels.lowerBound..<channels.lowerBound + count
  }

  /// `value_k ← value_k · other factor of channel_k` at the list's `positions`, so that deciding factors become
  /// products `g · u`. Only listed rows are read, of each channel the one that did not decide.
  ///
  /// - Complexity: O(`positions.count` · columns).
  package func complete(_ factors: FactorMatrices, _ x: KernelInput, _ list: KeptList, positions: Range<Int>) {
    precondition(x.count == factors.columns && list.channels == factors.rows && positions.within(list.count))
    var (matrices, input) = (factors.c, x.c(self, factors.type))
    let values = list.values + positions.lowerBound
    table.complete(&matrices, &input, list.indices + positions.lowerBound, values, positions.count, values)
  }

  /// The second cut: keeps of `positions` the entries with |value| ≥ threshold, thus never one that is not a
  /// number, and moves them together. Returns where they are now; what lies behind them in `positions` is of no use.
  ///
  /// - Parameter thresholds: One a channel, or one for all.
  /// - Complexity: O(`positions.count`).
  package func prune(
    _ list: KeptList, positions: Range<Int>, _ thresholds: UnsafeBufferPointer<Float>
  ) -> Range<Int> {
    precondition(positions.within(list.count))
    let count = gambit_prune(
      list.part(from: positions.lowerBound), positions.count, thresholds.c(channels: list.channels))
    return positions.lowerBound..<positions.lowerBound + count
  }
}
