import LinearAlgebra
import SparseKernels

// Attention: three pieces of shared work, with a wait after each.
extension SparseEngine {
  func attend(_ tasks: EngineTasks) {
    let (c, s, position) = (configuration, state, position)
    norm(layer.attentionNorm)
    switch layer.matrices {
    case .whole: projectWhole(tasks)
    case .planes: projectInPlanes(tasks)
    }
    if let bias = layer.queryBias { VectorMath.add(bias, to: s.query.base) }
    if let bias = layer.keyBias { VectorMath.add(bias, to: s.key.base) }
    if let bias = layer.valueBias { VectorMath.add(bias, to: s.value.base) }
    turn(s.query.base, heads: c.headCount, layer.queryNorm)
    turn(s.key.base, heads: c.keyValueHeadCount, layer.keyNorm)
    s.keys[layerIndex].row(position).update(from: s.key.base, count: c.keyValueWidth)
    s.values[layerIndex].row(position).update(from: s.value.base, count: c.keyValueWidth)
    // The first positions are not worth a wait.
    headTasks = position < 64 ? 1 : c.headCount
    pool.run(tasks: headTasks, tasks.heads)

    switch layer.matrices {
    case .whole: choose(UnsafeBufferPointer(s.mixed.elements), layer.thresholds.output, .output, into: s.keptOutput)
    case .planes: gradeOutput()
    }
    pool.run(tasks: taskCount, tasks.output)
    addToHidden(layer.attentionPostNorm)
  }

  private func projectWhole(_ tasks: EngineTasks) {
    choose(UnsafeBufferPointer(state.normed.elements), layer.thresholds.query, .query, into: state.keptQuery)
    pool.run(tasks: taskCount, tasks.project)
    addParts(of: state.partial, width: configuration.queryWidth, to: state.query.elements, replacing: true)
  }

  /// Task `task` of the three projections of the attention input.
  func project(_ task: Int) {
    switch layer.matrices {
    case .planes(let matrices): project(matrices, task)
    case .whole(let matrices):
      addListed(matrices.query, state.keptQuery, task)
      kernels.gemv(
        matrices.key, state.normed, into: state.key.elements,
        rows: share(task, of: matrices.key.rows, among: taskCount))
      kernels.gemv(
        matrices.value, state.normed, into: state.value.elements,
        rows: share(task, of: matrices.value.rows, among: taskCount))
    }
  }

  /// Task `task` of what heads read from the positions so far.
  func readHeads(_ task: Int) {
    for head in share(task, of: configuration.headCount, among: headTasks) { readHead(head) }
  }

  private func readHead(_ head: Int) {
    let c = configuration
    let width = c.headDimension
    let first = max(0, position + 1 - (c.slidingWindow(ofLayer: layerIndex) ?? .max))
    let start = first * c.keyValueWidth + head / (c.headCount / c.keyValueHeadCount) * width
    kernels.attend(
      state.query.base + head * width, keys: state.keys[layerIndex].base + start,
      values: state.values[layerIndex].base + start, positions: position + 1 - first, stride: c.keyValueWidth,
      width: width, scale: c.attentionScale, scores: state.scores.row(head),
      into: state.mixed.base + head * width)
  }

  /// Task `task` of the output projection.
  func projectOutput(_ task: Int) {
    switch layer.matrices {
    case .whole(let matrices): addListed(matrices.output, state.keptOutput, task)
    case .planes(let matrices): projectOutput(matrices, task)
    }
  }

  /// Lists the channels of `x` that reach their threshold, all where nothing is cut.
  func choose(
    _ x: UnsafeBufferPointer<Float>, _ thresholds: [Float]?, _ place: SparsePlace, into list: KeptList
  ) {
    guard isSparse, let thresholds else { return list.keepAll(x) }
    thresholds.withUnsafeBufferPointer {
      list.join(CollectionOfOne(kernels.select(x, $0, channels: 0..<x.count, into: list)))
    }
    count(list, place)
  }

  /// Norms each head where the architecture does, then turns it by its position.
  private func turn(_ x: UnsafeMutablePointer<Float>, heads: Int, _ weight: [Float]?) {
    if let weight {
      for head in 0..<heads {
        let start = x + head * configuration.headDimension
        VectorMath.rmsNorm(start, weight: weight, epsilon: configuration.normEpsilon, into: start)
      }
    }
    rotary[layerIndex].rotate(x, heads: heads, position: position)
  }
}

// Sums over listed channels, in parts that do not depend on the threads.
extension SparseEngine {
  /// Task `task`'s parts of `Σ value_k · row_k` over a list.
  func addListed(_ matrix: WeightMatrix, _ list: KeptList, _ task: Int) {
    for part in parts(of: task) {
      addListed(matrix, list, share(part, of: list.count, among: state.parts), part)
    }
  }

  /// The parts that are task `task`'s.
  func parts(of task: Int) -> Range<Int> {
    let tasks = min(taskCount, state.parts)
    return task < tasks ? share(task, of: state.parts, among: tasks) : 0..<0
  }

  func addListed(_ matrix: WeightMatrix, _ list: KeptList, _ positions: Range<Int>, _ part: Int) {
    let sum = UnsafeMutableBufferPointer(start: state.partial.row(part), count: matrix.columns)
    sum.update(repeating: 0)
    kernels.spvmm(matrix, list, positions: positions, into: sum, columns: 0..<matrix.columns)
  }

  /// `hidden ← hidden + Σ parts`, the sum normed first where the architecture does.
  func addToHidden(_ postNorm: [Float]?) {
    let (hidden, branch, width) = (state.hidden, state.branch, configuration.hiddenSize)
    guard let postNorm else {
      return addParts(of: state.partial, width: width, to: hidden.elements, replacing: false)
    }
    addParts(of: state.partial, width: width, to: branch.elements, replacing: true)
    VectorMath.rmsNorm(branch.base, weight: postNorm, epsilon: configuration.normEpsilon, into: branch.base)
    VectorMath.add(branch.base, to: hidden.base, count: width)
  }

  /// `y ← (y +) Σ parts`
  func addParts(of partial: Matrix, width: Int, to y: UnsafeMutableBufferPointer<Float>, replacing: Bool) {
    if replacing { y.update(repeating: 0) }
    for part in 0..<state.parts {
      let sum = partial.row(part)
      for i in 0..<width { y[i] += sum[i] }
    }
  }

  /// Adds to the counts of what thresholds decided.
  func count(_ list: KeptList, _ place: SparsePlace) {
    decided[place].count(kept: list.count, of: list.channels)
    observe?(layerIndex, place, list, nil)
  }
}
