import Checkpoints
import LinearAlgebra
import SparseKernels

/// The memory of one decoding: everything that a step writes, taken once.
final class EngineState {
  /// A sum over a list of channels is split into this many parts, whatever the number of threads, each with memory
  /// of its own; adding them in order makes results independent of threads.
  static let parts = 8

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

  let keys: [Matrix]  // a layer each: [capacity, keyValueWidth]
  let values: [Matrix]

  init(_ c: ModelConfiguration, _ precision: ActivationPrecision, capacity: Int, tasks: Int) {
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
    partial = Matrix(rows: Self.parts, columns: max(c.hiddenSize, c.queryWidth, c.intermediateSize))
    scores = Matrix(rows: c.headCount, columns: capacity)
    logits = row(c.vocabularySize)
    keptQuery = KeptList(channels: c.hiddenSize)
    keptOutput = KeptList(channels: c.queryWidth)
    keptInput = KeptList(channels: c.hiddenSize)
    keptFFN = KeptList(channels: c.intermediateSize)
    found = .allocate(capacity: tasks)
    found.initialize(repeating: 0..<0)
    left = .allocate(capacity: Self.parts)
    left.initialize(repeating: 0..<0)
    keys = (0..<c.layerCount).map { _ in Matrix(rows: capacity, columns: c.keyValueWidth) }
    values = (0..<c.layerCount).map { _ in Matrix(rows: capacity, columns: c.keyValueWidth) }
  }

  deinit {
    found.deallocate()
    left.deallocate()
  }
}

extension Matrix {
  /// All elements, where kernels read and write them.
  var elements: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: base, count: count) }
}
