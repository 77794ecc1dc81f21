import LinearAlgebra
import Synchronization
import Transformer

/// The last hidden states of one model, and what makes logits of them.
struct LastStates {
  var head: OutputHead
  var states: HiddenStates
}

/// From the last hidden states of several models to what each loses, window by window.
struct LossMeasurement {
  private static let rowsOfLogits = 64

  private let windows: [[Int32]]
  private let prompts: [Int]
  private let clusters: [[Int]]  // of each token of each window
  private let threads: Int
  let isByDocument: Bool

  /// - Parameter prompts: Tokens of each window whose predictions do not count.
  init(_ text: TokenWindows, prompts: [Int], threads: Int) {
    windows = text.windows
    self.prompts = prompts
    self.threads = threads
    isByDocument = Set(zip(text.documents, prompts).flatMap { $0.dropFirst($1 + 1) }).count > 1
    clusters =
      isByDocument ? text.documents : windows.enumerated().map { [Int](repeating: $0, count: $1.count) }
  }

  /// Of every model's streams, those of the first model's first one being the dense model's: the sums of each cluster
  /// that has predicted tokens. A predicted token is of the document that it is in itself. Sums are taken a window and
  /// then in order, so that they do not depend on which thread came first.
  func run(_ models: [[LastStates]]) throws -> (
    sums: [[[LossSums]]], isByDocument: Bool
  ) {
    let byWindow = Mutex([[[[Int: LossSums]]]](repeating: [], count: windows.count))
    try forEachIndex(below: windows.count, threads: threads) { _, window in
      let sums = try losses(window, models)
      byWindow.withLock { $0[window] = sums }
    }
    let windows = byWindow.withLock { $0 }
    let sums = models.indices.map { model in
      models[model].indices.map { stream in
        var total: [Int: LossSums] = [:]
        for window in windows {
          for (cluster, sum) in window[model][stream] { total[cluster, default: LossSums()].add(sum) }
        }
        return total.sorted { $0.key < $1.key }.map(\.value)
      }
    }
    return (sums, isByDocument)
  }

  /// `[models][streams]`, by cluster.
  private func losses(_ window: Int, _ models: [[LastStates]]) throws -> [[[Int: LossSums]]] {
    let tokens = windows[window]
    let hidden = try models.map { try $0.map { try $0.states.sequence(window) } }
    var sums = hidden.map { $0.map { _ in [Int: LossSums]() } }
    for start in stride(from: prompts[window], to: tokens.count - 1, by: Self.rowsOfLogits) {
      let rows = start..<min(start + Self.rowsOfLogits, tokens.count - 1)
      let reference = models[0][0].head.logits(hidden[0][0], rows: rows)
      let best = rows.indices.map { reference.indexOfMaximum(row: $0 - rows.lowerBound) }
      for i in models.indices {
        for (j, stream) in hidden[i].enumerated() {
          let isReference = i == 0 && j == 0
          let logits = isReference ? reference : models[i][j].head.logits(stream, rows: rows)
          for (r, row) in rows.enumerated() {
            var loss = LossSums()
            loss.tokens = 1
            let target = logits[r, Int(tokens[row + 1])]
            loss.nll = Double(VectorMath.logSumExp(logits.row(r), count: logits.columns) - target)
            if !isReference {
              loss.kl = VectorMath.klDivergence(reference.row(r), logits.row(r), count: logits.columns)
            }
            guard loss.nll.isFinite, loss.kl.isFinite else { throw NonFiniteLogits() }
            loss.agreements = isReference || logits.indexOfMaximum(row: r) == best[r] ? 1 : 0
            sums[i][j][clusters[window][row + 1], default: LossSums()].add(loss)
          }
        }
      }
    }
    return sums
  }
}

extension Matrix {
  /// The first column of the greatest value of a row. Complexity: O(columns).
  func indexOfMaximum(row: Int) -> Int {
    let values = self.row(row)
    var best = 0
    for column in 1..<max(columns, 1) where values[column] > values[best] { best = column }
    return best
  }
}
