import LinearAlgebra
import SparseKernels

// The output head: one piece of shared work or, where it is read on demand, three.
extension SparseEngine {
  /// The head is cut into this many pieces for each one of a layer's matrices, being that much larger.
  static let rowTasks = 4

  func computeLogits(_ tasks: EngineTasks) {
    pool.run(tasks: rowTaskCount, tasks.head)
    guard let margin = headMargin, let planes = state.planes else { return }
    leastLogit = planes.greatest.reduce(-.infinity) { $1 > $0 ? $1 : $0 } - margin
    pool.run(tasks: rowTaskCount, tasks.selectRows)
    planes.rows.join(planes.foundRows)
    decided.head.count(kept: planes.rows.count, of: planes.rows.channels)
    observeHead?(planes.rows)
    pool.run(tasks: taskCount, tasks.refineRows)
  }

  /// Task `task` of all rows.
  func computeLogits(_ task: Int) {
    let rows = headRows(task)
    switch outputHead {
    case .whole(let matrix): kernels.gemv(matrix, state.normed, into: state.logits.elements, rows: rows)
    case .planes(let pair): computeLogits(pair, task, rows)
    }
  }

  private func computeLogits(_ head: PlanePair, _ task: Int, _ rows: Range<Int>) {
    guard let planes = state.planes else { return }
    kernels.gemv(head.high, state.normed, into: state.logits.elements, rows: rows)
    guard headMargin == nil else {
      if let headOffsets {
        VectorMath.add(
          headOffsets.base + rows.lowerBound, to: state.logits.base + rows.lowerBound, count: rows.count)
      }
      planes.greatest[task] = kernels.greatest(UnsafeBufferPointer(state.logits.elements), rows)
      return
    }
    kernels.gemv(head.low, state.normed, into: planes.lowLogits.elements, rows: rows)
    VectorMath.add(
      planes.lowLogits.base + rows.lowerBound, to: state.logits.base + rows.lowerBound, count: rows.count)
  }

  /// Task `task` of listing the rows whose logit by high planes is near the greatest.
  func selectRows(_ task: Int) {
    guard let planes = state.planes else { return }
    planes.foundRows[task] = kernels.select(
      UnsafeBufferPointer(state.logits.elements), from: leastLogit, channels: headRows(task), into: planes.rows)
  }

  /// Task `task` of what low planes add to the logits of these.
  func refineRows(_ task: Int) {
    guard case .planes(let head) = outputHead, let planes = state.planes else { return }
    kernels.addListed(
      head.low, state.normed, planes.rows, positions: share(task, of: planes.rows.count, among: taskCount),
      to: state.logits.elements, less: headOffsets?.readable)
  }

  private var headMargin: Float? { isSparse ? thresholds.headMargin : nil }

  private var rowTaskCount: Int { Self.rowTasks * taskCount }

  private func headRows(_ task: Int) -> Range<Int> {
    share(task, of: configuration.vocabularySize, among: rowTaskCount)
  }
}
