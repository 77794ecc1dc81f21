import LinearAlgebra
import SparseKernels

// The gated FFN: two pieces of shared work.
extension SparseEngine {
  func feedForward(_ tasks: EngineTasks) {
    let s = state
    norm(layer.ffnNorm)
    pool.run(tasks: taskCount, tasks.gate)
    if isSparse {
      s.keptFFN.join(s.found)
      count(s.keptFFN, .ffn)
    } else {
      s.keptFFN.keepAll(UnsafeBufferPointer(s.gate.elements))
    }
    pool.run(tasks: taskCount, tasks.down)
    addParts(width: configuration.hiddenSize, to: s.hidden.elements, replacing: false)
  }

  /// Task `task` of the gate projection, its activation, and the choice of channels.
  func gate(_ task: Int) {
    let rows = share(task, of: layer.gate.rows, among: taskCount)
    let activation: KernelActivation = configuration.gateActivation == .silu ? .silu : .geluTanh
    guard isSparse else {
      kernels.gemv(layer.gate, normed, into: state.gate.elements, rows: rows)
      return activate(state.gate.base + rows.lowerBound, count: rows.count)
    }
    layer.thresholds.ffn.withUnsafeBufferPointer {
      state.found[task] = kernels.gate(layer.gate, normed, activation, $0, rows: rows, into: state.keptFFN)
    }
  }

  private func activate(_ x: UnsafeMutablePointer<Float>, count: Int) {
    switch configuration.gateActivation {
    case .silu: VectorMath.silu(x, count: count)
    case .geluTanh: VectorMath.geluTanh(x, count: count)
    }
  }

  /// Task `task`'s parts of what listed channels add: no other thread needs a part's `g ⊙ u`, so that there is no
  /// wait between the up and the down projection.
  func upAndDown(_ task: Int) {
    for part in share(task, of: EngineState.parts, among: min(taskCount, EngineState.parts))
    where task < EngineState.parts {
      let positions = share(part, of: state.keptFFN.count, among: EngineState.parts)
      kernels.vmmsp(layer.up, normed, state.keptFFN, positions: positions)
      addListed(layer.down, state.keptFFN, positions, part)
    }
  }
}
