import LinearAlgebra
import SparseKernels

// The gated FFN: two pieces of shared work.
extension SparseEngine {
  func feedForward(_ tasks: EngineTasks) {
    let (s, thresholds) = (state, layer.thresholds)
    norm(layer.ffnNorm)
    if case .planes = layer.matrices { return feedForwardInPlanes(tasks) }
    if cutsInput { decideByInputs(tasks) } else { decideByRows(tasks) }
    pool.run(tasks: taskCount, tasks.down)
    addToHidden(layer.ffnPostNorm)
    guard isSparse else { return }
    if let bias = thresholds.bias { VectorMath.add(bias, to: s.hidden.base) }
    if thresholds.product != nil {
      s.keptFFN.join(s.left)
      count(s.keptFFN, .down)
    }
  }

  /// Deciding rows lie one a channel: each one's product is compared with its threshold as soon as it is there.
  private func decideByRows(_ tasks: EngineTasks) {
    pool.run(tasks: taskCount, tasks.decide)
    guard isSparse else { return state.keptFFN.keepAll(UnsafeBufferPointer(state.gate.elements)) }
    state.keptFFN.join(state.found)
    count(state.keptFFN, .ffn)
  }

  /// Deciding rows lie one an input: their products are sums over the inputs that are kept.
  private func decideByInputs(_ tasks: EngineTasks) {
    let (s, thresholds) = (state, layer.thresholds)
    choose(UnsafeBufferPointer(s.normed.elements), thresholds.input, .input, into: s.keptInput)
    pool.run(tasks: taskCount, tasks.deciding)
    addParts(of: s.partial, width: configuration.intermediateSize, to: s.gate.elements, replacing: true)
    activateGates()
    choose(UnsafeBufferPointer(s.gate.elements), thresholds.ffn, .ffn, into: s.keptFFN)
  }

  private var cutsInput: Bool { layer.thresholds.input != nil }

  /// Task `task` of the deciding rows, where these leave out inputs.
  func projectDeciding(_ task: Int) {
    if case .whole(let matrices) = layer.matrices { addListed(matrices.gate, state.keptInput, task) }
  }

  /// Applies the activation to what came from gate rows.
  private func activateGates() {
    let (x, activated) = (state.gate.elements, state.activated.elements)
    _ = activated.update(from: x)
    activate(state.activated.base, count: activated.count)
    guard let upDecides = layer.upDecides else {
      return state.gate.base.update(from: state.activated.base, count: x.count)
    }
    for channel in x.indices where upDecides[channel] == 0 { x[channel] = activated[channel] }
  }

  /// Task `task` of the deciding factors and the choice of channels; of the gate where all are kept.
  func decide(_ task: Int) {
    let channels = share(task, of: configuration.intermediateSize, among: taskCount)
    let matrices: WholeMatrices
    switch layer.matrices {
    case .planes(let planes): return sweep(planes, channels, task)
    case .whole(let whole): matrices = whole
    }
    guard isSparse else {
      kernels.gemv(matrices.gate, state.normed, into: state.gate.elements, rows: channels)
      return activate(state.gate.base + channels.lowerBound, count: channels.count)
    }
    layer.thresholds.ffn.withUnsafeBufferPointer {
      state.found[task] = kernels.decide(matrices.factors, state.normed, $0, channels: channels, into: state.keptFFN)
    }
  }

  /// Task `task`'s parts of what listed channels add: no other thread needs a part's `g ⊙ u`, so that there is no
  /// wait between the up and the down projection.
  func upAndDown(_ task: Int) {
    let matrices: WholeMatrices
    switch layer.matrices {
    case .planes(let planes): return refineAndDown(planes, task)
    case .whole(let whole): matrices = whole
    }
    let list = state.keptFFN
    for part in parts(of: task) {
      var positions = share(part, of: list.count, among: state.parts)
      guard isSparse || cutsInput else {
        kernels.vmmsp(matrices.up, state.normed, list, positions: positions)
        addListed(matrices.down, list, positions, part)
        continue
      }
      kernels.complete(matrices.factors, state.normed, list, positions: positions)
      if isSparse, let product = layer.thresholds.product {
        positions = product.withUnsafeBufferPointer { kernels.prune(list, positions: positions, $0) }
        state.left[part] = positions
      }
      addListed(matrices.down, list, positions, part)
    }
  }

  private func activate(_ x: UnsafeMutablePointer<Float>, count: Int) {
    switch configuration.gateActivation {
    case .silu: VectorMath.silu(x, count: count)
    case .geluTanh: VectorMath.geluTanh(x, count: count)
    }
  }
}
