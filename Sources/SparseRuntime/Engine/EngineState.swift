import Checkpoints
import LinearAlgebra
import SparseKernels

/// The memory of one decoding: everything that a step writes, taken once.
final class EngineState {
  /// A sum over a list of channels is split into this many parts, whatever the number of threads, each with memory
  /// of its own; adding them in order makes results independent of threads. Rows of narrow models are short, so that
  /// fewer parts leave less to begin and to add: four in place of eight decode SmolLM2 in planes 9% faster.
  let parts: Int

  let hidden: Matrix  // [1, hiddenSize]: the residual stream
  let branch: Matrix  // [1, hiddenSize]: what attention or FFN gives, until it is normed and added
  let normed: KernelInput  // [hiddenSize]
  let query: Matrix  // [1, queryWidth]
  let key: Matrix  // [1, keyValueWidth]
  let value: Matrix  // [1, keyValueWidth]
  let mixed: Matrix  // [1, queryWidth]: what heads read, side by side
  let gate: Matrix  // [1, intermediateSize]
  let activated: Matrix  // [1, intermediateSize]
  let partial: Matrix  // [parts, the widest sum]
  let scores: Matrix  // [headCount, capacity]
  let logits: Matrix  // [1, vocabularySize]
  let keptQuery: KeptList
  let keptOutput: KeptList
  let keptInput: KeptList
  let keptFFN: KeptList
  /// What each task listed, until the lists are joined.
  let found: UnsafeMutableBufferPointer<Range<Int>>
  /// What the second cut left of each part of the list.
  let left: UnsafeMutableBufferPointer<Range<Int>>

  /// What weights in planes need beside these; `nil` of others.
  let planes: PlaneState?

  let keys: [Matrix]  // a layer each: [capacity, keyValueWidth]
  let values: [Matrix]

  init(
    _ c: ModelConfiguration, _ precision: ActivationPrecision, capacity: Int, tasks: Int, isInPlanes: Bool,
    rowTasks: Int
  ) {
    func row(_ width: Int) -> Matrix { Matrix(rows: 1, columns: width) }
    hidden = row(c.hiddenSize)
    branch = row(c.hiddenSize)
    normed = KernelInput(count: c.hiddenSize, precision)
    query = row(c.queryWidth)
    key = row(c.keyValueWidth)
    value = row(c.keyValueWidth)
    mixed = row(c.queryWidth)
    gate = row(c.intermediateSize)
    activated = row(c.intermediateSize)
    parts = c.hiddenSize < 1024 ? 4 : 8
    partial = Matrix(rows: parts, columns: max(c.hiddenSize, c.queryWidth, c.intermediateSize))
    scores = Matrix(rows: c.headCount, columns: capacity)
    logits = row(c.vocabularySize)
    keptQuery = KeptList(channels: c.hiddenSize)
    keptOutput = KeptList(channels: c.queryWidth)
    keptInput = KeptList(channels: c.hiddenSize)
    keptFFN = KeptList(channels: c.intermediateSize)
    found = .allocate(capacity: tasks)
    found.initialize(repeating: 0..<0)
    left = .allocate(capacity: parts)
    left.initialize(repeating: 0..<0)
    planes = isInPlanes ? PlaneState(c, tasks: tasks, parts: parts, rowTasks: rowTasks) : nil
    keys = (0..<c.layerCount).map { _ in Matrix(rows: capacity, columns: c.keyValueWidth) }
    values = (0..<c.layerCount).map { _ in Matrix(rows: capacity, columns: c.keyValueWidth) }
  }

  deinit {
    found.deallocate()
    left.deallocate()
  }
}

/// The memory of a decoding with weights in planes.
final class PlaneState {
  let query: GradedList
  let key: GradedList
  let value: GradedList
  let output: GradedList
  /// Channels that are left at half their bits: none of them is among the full ones.
  let half: KeptList
  let full: KeptList
  /// The gate and up sums of each channel in turn, `[1, 2 · intermediateSize]`.
  let sums: Matrix
  // Sums over a list in parts, as `EngineState.partial`: [parts, keyValueWidth].
  let partialKey: Matrix
  let partialValue: Matrix
  let lowLogits: Matrix  // [1, vocabularySize]: what low planes add
  /// Rows of the output head that are worth their low planes, where it is read on demand.
  let rows: KeptList
  /// The greatest logit by high planes that each task of the head found.
  let greatest: UnsafeMutableBufferPointer<Float>
  /// What each of them listed, until the lists are joined.
  let foundRows: UnsafeMutableBufferPointer<Range<Int>>
  /// What each task listed of half and of full channels, until the lists are joined.
  let foundHalf: UnsafeMutableBufferPointer<Range<Int>>
  let foundFull: UnsafeMutableBufferPointer<Range<Int>>

  fileprivate init(_ c: ModelConfiguration, tasks: Int, parts: Int, rowTasks: Int) {
    query = GradedList(channels: c.hiddenSize)
    key = GradedList(channels: c.hiddenSize)
    value = GradedList(channels: c.hiddenSize)
    output = GradedList(channels: c.queryWidth)
    half = KeptList(channels: c.intermediateSize)
    full = KeptList(channels: c.intermediateSize)
    sums = Matrix(rows: 1, columns: 2 * c.intermediateSize)
    partialKey = Matrix(rows: parts, columns: c.keyValueWidth)
    partialValue = Matrix(rows: parts, columns: c.keyValueWidth)
    lowLogits = Matrix(rows: 1, columns: c.vocabularySize)
    rows = KeptList(channels: c.vocabularySize)
    greatest = .allocate(capacity: rowTasks)
    greatest.initialize(repeating: 0)
    foundRows = .allocate(capacity: rowTasks)
    foundRows.initialize(repeating: 0..<0)
    foundHalf = .allocate(capacity: tasks)
    foundHalf.initialize(repeating: 0..<0)
    foundFull = .allocate(capacity: tasks)
    foundFull.initialize(repeating: 0..<0)
  }

  deinit {
    greatest.deallocate()
    foundRows.deallocate()
    foundHalf.deallocate()
    foundFull.deallocate()
  }
}

/// The inputs of a projection that are read at all, and those of them that are read with all bits.
final class GradedList {
  let kept: KeptList
  let full: KeptList

  init(channels: Int) {
    kept = KeptList(channels: channels)
    full = KeptList(channels: channels)
  }
}

extension Matrix {
  /// All elements, where kernels read and write them.
  var elements: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: base, count: count) }
  var readable: UnsafeBufferPointer<Float> { UnsafeBufferPointer(elements) }
}
