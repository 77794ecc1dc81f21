import Checkpoints
import LinearAlgebra

/// The matrices that one thread needs to take a sequence through a layer, made once and used for
/// every layer: `O(tokens · (hiddenSize + intermediateSize))` floats.
final class Workspace: Sendable {
  let hidden: Matrix  // [tokens, hiddenSize]: the residual stream, where it is not in memory already
  let normed: Matrix  // [tokens, hiddenSize]
  let cutInput: Matrix  // [tokens, hiddenSize]: what a projection reads that leaves out inputs
  let query: Matrix  // [tokens, queryWidth]
  let key: Matrix  // [tokens, keyValueWidth]
  let value: Matrix  // [tokens, keyValueWidth]
  let mixed: Matrix  // [tokens, queryWidth]: what the heads read
  let scores: Matrix  // [Attention.queryBlock, tokens]
  let gate: Matrix  // [tokens, intermediateSize]
  let up: Matrix  // [tokens, intermediateSize]
  let product: Matrix  // [tokens, intermediateSize]
  /// `nil` where no layer is run with high planes.
  let half: HalfWorkspace?

  init(_ configuration: ModelConfiguration, tokens: Int, hasHighPlanes: Bool) {
    let c = configuration
    hidden = Matrix(rows: tokens, columns: c.hiddenSize)
    normed = Matrix(rows: tokens, columns: c.hiddenSize)
    cutInput = Matrix(rows: tokens, columns: c.hiddenSize)
    query = Matrix(rows: tokens, columns: c.queryWidth)
    key = Matrix(rows: tokens, columns: c.keyValueWidth)
    value = Matrix(rows: tokens, columns: c.keyValueWidth)
    mixed = Matrix(rows: tokens, columns: c.queryWidth)
    scores = Matrix(rows: Attention.queryBlock, columns: tokens)
    gate = Matrix(rows: tokens, columns: c.intermediateSize)
    up = Matrix(rows: tokens, columns: c.intermediateSize)
    product = Matrix(rows: tokens, columns: c.intermediateSize)
    half = hasHighPlanes ? HalfWorkspace(c, tokens: tokens) : nil
  }
}

/// What is multiplied with high planes alone, or came of them.
final class HalfWorkspace: Sendable {
  let input: Matrix  // [tokens, hiddenSize]
  let mixed: Matrix  // [tokens, queryWidth]
  let product: Matrix  // [tokens, intermediateSize], of gate and up
  let up: Matrix  // [tokens, intermediateSize]

  fileprivate init(_ c: ModelConfiguration, tokens: Int) {
    input = Matrix(rows: tokens, columns: c.hiddenSize)
    mixed = Matrix(rows: tokens, columns: c.queryWidth)
    product = Matrix(rows: tokens, columns: c.intermediateSize)
    up = Matrix(rows: tokens, columns: c.intermediateSize)
  }
}

extension ForwardPass {
  /// Bytes of one thread's matrices.
  package static func workspaceBytes(_ c: ModelConfiguration, longest: Int, hasHighPlanes: Bool) -> Int {
    let whole =
      3 * c.hiddenSize + 2 * c.queryWidth + 2 * c.keyValueWidth + Attention.queryBlock + 3 * c.intermediateSize
    let half = hasHighPlanes ? c.hiddenSize + c.queryWidth + 2 * c.intermediateSize : 0
    return MemoryLayout<Float>.stride * longest * (whole + half)
  }
}
