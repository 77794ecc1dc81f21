import Checkpoints
import LinearAlgebra

/// Causal grouped-query attention over one sequence, or over the branches of one.
struct Attention {
  /// Queries are taken in blocks, so that a block's scores stay in cache and most of the products
  /// that the causal mask would throw away are never computed.
  static let queryBlock = 128

  let configuration: ModelConfiguration
  let layer: Int

  /// `mixed ← softmax(attentionScale · query · keyᵀ, causal) · value`, head by head. A branch's tokens see the
  /// prefix, their own branch, and no other.
  /// Complexity: O(`tokens`² · `queryWidth`).
  func callAsFunction(_ w: Workspace, _ layout: SequenceLayout) {
    attend(w, 0..<layout.prefix, context: 0)
    for branch in layout.branches { attend(w, branch, context: layout.prefix) }
  }

  /// What some tokens read from the first `context` tokens and from themselves, which follow these.
  private func attend(_ w: Workspace, _ tokens: Range<Int>, context: Int) {
    let group = configuration.headCount / configuration.keyValueHeadCount
    let scale = configuration.attentionScale
    let total = context + tokens.count
    let window = configuration.slidingWindow(ofLayer: layer) ?? total
    func own(_ count: Int) -> Range<Int> { tokens.lowerBound..<tokens.lowerBound + count }

    for head in 0..<configuration.headCount {
      func key(_ rows: Range<Int>) -> MatrixView { headView(w.key, head / group, rows: rows) }
      func value(_ rows: Range<Int>) -> MatrixView { headView(w.value, head / group, rows: rows) }
      for start in stride(from: 0, to: tokens.count, by: Self.queryBlock) {
        let block = start..<min(start + Self.queryBlock, tokens.count)
        let rows = tokens.lowerBound + block.lowerBound..<tokens.lowerBound + block.upperBound
        let seen = block.upperBound  // no query of this block looks further
        let scores = MatrixView(w.scores.base, rows: block.count, columns: context + seen, stride: total)
        let query = headView(w.query, head, rows: rows)
        if context > 0 {
          MatrixProduct.multiply(query, transposed: key(0..<context), into: scores.columns(0..<context))
        }
        MatrixProduct.multiply(
          query, transposed: key(own(seen)), into: scores.columns(context..<context + seen))
        for i in 0..<block.count {
          let row = scores.base + i * scores.stride
          let position = context + start + i
          let first = max(0, position + 1 - window)
          (row).update(repeating: 0, count: first)
          VectorMath.softmax(row + first, count: position + 1 - first, scale: scale)
          (row + position + 1).update(repeating: 0, count: context + seen - position - 1)
        }
        let mixed = headView(w.mixed, head, rows: rows)
        MatrixProduct.multiply(scores.columns(context..<context + seen), value(own(seen)), into: mixed)
        if context > 0 {
          MatrixProduct.multiply(scores.columns(0..<context), value(0..<context), into: mixed, accumulating: true)
        }
      }
    }
  }

  /// The columns of one head in some rows of a matrix that holds all heads side by side.
  private func headView(_ matrix: Matrix, _ head: Int, rows: Range<Int>) -> MatrixView {
    let width = configuration.headDimension
    return MatrixView(
      matrix.row(rows.lowerBound) + head * width, rows: rows.count, columns: width, stride: matrix.columns)
  }
}

extension MatrixView {
  fileprivate func columns(_ range: Range<Int>) -> MatrixView {
    MatrixView(base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }
}
