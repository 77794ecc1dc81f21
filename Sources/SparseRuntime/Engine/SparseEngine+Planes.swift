import LinearAlgebra
import SparseKernels
import ThresholdSolver

// Weights in planes: what the high planes say decides how much more is read, and what the low ones add is added to it,
// so that nothing is read or multiplied twice.

// Attention: inputs are graded by their magnitude, which is known exactly.
extension SparseEngine {
  func projectInPlanes(_ tasks: EngineTasks) {
    guard let planes = state.planes else { return }
    let x = UnsafeBufferPointer(state.normed.elements)
    grade(x, .query, into: planes.query)
    grade(x, .key, into: planes.key)
    grade(x, .value, into: planes.value)
    pool.run(tasks: taskCount, tasks.project)
    let width = configuration.keyValueWidth
    addParts(of: state.partial, width: configuration.queryWidth, to: state.query.elements, replacing: true)
    addParts(of: planes.partialKey, width: width, to: state.key.elements, replacing: true)
    addParts(of: planes.partialValue, width: width, to: state.value.elements, replacing: true)
  }

  /// Task `task` of the three projections of the attention input.
  func project(_ matrices: PlaneMatrices, _ task: Int) {
    guard let planes = state.planes else { return }
    addGraded(matrices.query, planes.query, task, into: state.partial)
    addGraded(matrices.key, planes.key, task, into: planes.partialKey)
    addGraded(matrices.value, planes.value, task, into: planes.partialValue)
  }

  func gradeOutput() {
    guard let planes = state.planes else { return }
    grade(UnsafeBufferPointer(state.mixed.elements), .output, into: planes.output)
  }

  func projectOutput(_ matrices: PlaneMatrices, _ task: Int) {
    guard let planes = state.planes else { return }
    addGraded(matrices.output, planes.output, task, into: state.partial)
  }

  /// Lists the inputs that are read at all, and those that are read whole; all where nothing is graded.
  private func grade(_ x: UnsafeBufferPointer<Float>, _ place: SparsePlace, into list: GradedList) {
    guard isSparse, let half = layer.thresholds[place.place], let full = layer.thresholds.full?[place.place] else {
      list.kept.keepAll(x)
      list.full.keepAll(x)
      return
    }
    for (thresholds, list) in [(half, list.kept), (full, list.full)] {
      thresholds.withUnsafeBufferPointer {
        list.join(CollectionOfOne(kernels.select(x, $0, channels: 0..<x.count, into: list)))
      }
    }
    count(kept: list.kept.count, list.kept, full: list.full, place)
  }

  /// Task `task`'s parts of `Σ x_j · row_j` over inputs, of each as much of its row as is read.
  private func addGraded(_ matrix: PlanePair, _ list: GradedList, _ task: Int, into partial: Matrix) {
    let parts = parts(of: task)
    for part in parts {
      let sum = emptySum(partial, part, width: matrix.high.columns)
      kernels.spvmm(
        rows(matrix.high, list.kept, part), rows(matrix.low, list.full, part),
        upcoming: part + 1 < parts.upperBound ? rows(matrix.high, list.kept, part + 1) : nil, into: sum,
        columns: 0..<sum.count)
    }
  }

  private func emptySum(_ partial: Matrix, _ part: Int, width: Int) -> UnsafeMutableBufferPointer<Float> {
    let sum = UnsafeMutableBufferPointer(start: partial.row(part), count: width)
    sum.update(repeating: 0)
    return sum
  }

  /// Those of a part of a list.
  private func rows(_ matrix: WeightMatrix, _ list: KeptList, _ part: Int) -> ListedRows {
    ListedRows(matrix, list, share(part, of: list.count, among: state.parts))
  }
}

// The FFN: channels are graded by the product of what their two high planes give.
extension SparseEngine {
  func feedForwardInPlanes(_ tasks: EngineTasks) {
    guard let planes = state.planes else { return }
    pool.run(tasks: taskCount, tasks.decide)
    if isSparse {
      planes.half.join(planes.foundHalf)
      planes.full.join(planes.foundFull)
      count(kept: planes.half.count + planes.full.count, planes.half, full: planes.full, .ffn)
    } else {
      planes.half.join(EmptyCollection())
      planes.full.keepAll(UnsafeBufferPointer(state.gate.elements))
    }
    pool.run(tasks: taskCount, tasks.down)
    addToHidden(layer.ffnPostNorm)
  }

  /// Task `task` of the high planes of gate and up, and of the grades that follow from them.
  func sweep(_ matrices: PlaneMatrices, _ channels: Range<Int>, _ task: Int) {
    guard let planes = state.planes else { return }
    let sums = planes.sums.elements
    kernels.gemv(
      matrices.gateUp.high, state.normed, into: sums, rows: 2 * channels.lowerBound..<2 * channels.upperBound)
    guard isSparse, let full = layer.thresholds.full else { return }
    layer.thresholds.ffn.withUnsafeBufferPointer { half in
      full.ffn.withUnsafeBufferPointer { full in
        (planes.foundHalf[task], planes.foundFull[task]) = kernels.grade(
          UnsafeBufferPointer(sums), layer.offsets?.readable, activation, half: half, full: full, channels: channels,
          into: planes.half,
          planes.full)
      }
    }
  }

  /// Task `task`'s parts of what channels add: no other thread needs a part's products, so that there is no wait between
  /// the low planes of gate and up and the down projection.
  func refineAndDown(_ matrices: PlaneMatrices, _ task: Int) {
    guard let planes = state.planes else { return }
    for part in parts(of: task) {
      let sum = emptySum(state.partial, part, width: configuration.hiddenSize)
      let full = share(part, of: planes.full.count, among: state.parts)
      kernels.refine(
        matrices.gateUp.low, state.normed, activation, planes.full, positions: full, sums: planes.sums.elements)
      kernels.spvmm(
        rows(matrices.down.high, planes.half, part), rows(matrices.down.high, planes.full, part),
        rows(matrices.down.low, planes.full, part), into: sum, columns: 0..<sum.count)
    }
  }

  private var activation: KernelActivation { configuration.gateActivation == .silu ? .silu : .geluTanh }

  /// Adds to the counts of what grades decided.
  private func count(kept: Int, _ list: KeptList, full: KeptList, _ place: SparsePlace) {
    decided[place].count(kept: kept, full: full.count, of: full.channels)
    observe?(layerIndex, place, list, full)
  }
}

// The embedding.
extension SparseEngine {
  /// `y ← the embedding of a token`
  func embed(_ token: Int, into y: UnsafeMutableBufferPointer<Float>) {
    switch table {
    case .whole(let matrix): kernels.copyRow(token, of: matrix, into: y)
    case .planes(let pair):
      kernels.copyRow(token, of: pair.high, into: y)
      kernels.copyRow(token, of: pair.low, into: state.branch.elements)
      if let base = y.baseAddress { VectorMath.add(state.branch.base, to: base, count: y.count) }
    }
  }
}
