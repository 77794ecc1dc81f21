import Checkpoints
import LinearAlgebra

/// Causal grouped-query attention over one sequence.
struct Attention {
  /// Queries are taken in blocks, so that a block's scores stay in cache and most of the products
  /// that the causal mask would throw away are never computed.
  static let queryBlock = 128

  let configuration: ModelConfiguration
  let layer: Int

  /// `mixed ← softmax(attentionScale · query · keyᵀ, causal) · value`, head by head.
  /// Complexity: O(`tokens`² · `queryWidth`).
  func callAsFunction(_ w: Workspace, tokens: Int) {
    let group = configuration.headCount / configuration.keyValueHeadCount
    let scale = configuration.attentionScale
    let window = configuration.slidingWindow(ofLayer: layer) ?? tokens

    for head in 0..<configuration.headCount {
      let key = headView(w.key, head / group, rows: 0..<tokens)
      let value = headView(w.value, head / group, rows: 0..<tokens)
      for start in stride(from: 0, to: tokens, by: Self.queryBlock) {
        let rows = start..<min(start + Self.queryBlock, tokens)
        let seen = rows.upperBound  // no query of this block looks further
        let scores = MatrixView(w.scores.base, rows: rows.count, columns: seen, stride: tokens)
        MatrixProduct.multiply(headView(w.query, head, rows: rows), transposed: key.first(seen), into: scores)
        for (i, position) in rows.enumerated() {
          let row = scores.base + i * scores.stride
          let first = max(0, position + 1 - window)
          (row).update(repeating: 0, count: first)
          VectorMath.softmax(row + first, count: position + 1 - first, scale: scale)
          (row + position + 1).update(repeating: 0, count: seen - position - 1)
        }
        MatrixProduct.multiply(scores, value.first(seen), into: headView(w.mixed, head, rows: rows))
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
  fileprivate func first(_ rows: Int) -> MatrixView {
    MatrixView(base, rows: rows, columns: columns, stride: stride)
  }
}
