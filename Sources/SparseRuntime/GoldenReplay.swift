import Foundation
import SparseBundle

/// Whether the reference decoder computes a bundle's golden vectors.
public struct GoldenReplay: Sendable, Equatable {
  /// Greatest difference of dense logits from the recorded ones, and of sparse logits when every token
  /// keeps what is recorded.
  public private(set) var denseDifference = 0.0
  public private(set) var sparseDifference = 0.0
  /// Greatest difference of dense logits from the source model's.
  public private(set) var sourceDifference = 0.0
  /// Decisions recorded, and those that thresholds would have made differently.
  public private(set) var decisions = 0
  public private(set) var disagreements: [Disagreement] = []

  /// How far from its threshold a magnitude may be, as a share of it, to be decided differently by two
  /// correct computations that add in different orders.
  public static let tieMargin: Float = 1e-3

  /// Disagreements that rounding does not explain.
  public var wrongDecisions: [Disagreement] { disagreements.filter { !($0.margin <= Self.tieMargin) } }

  /// Decodes each text twice.
  ///
  /// - Complexity: O(tokens · weights).
  public init(_ golden: GoldenVectors, _ model: SparseModel, progress: (_ share: Double) -> Void = { _ in }) {
    let steps = Double(2 * golden.texts.reduce(0) { $0 + $1.tokens.count })
    var done = 0.0
    for text in golden.texts {
      var dense = ReferenceDecoder(model, capacity: text.tokens.count)
      var sparse = ReferenceDecoder(model, capacity: text.tokens.count)
      for (position, token) in text.tokens.enumerated() {
        let denseLogits = dense.step(token, .dense)
        let sparseLogits = sparse.step(token, .recorded(text.kept[position], head: text.keptHead?[position]))
        done += 2
        progress(done / steps)
        guard let row = text.positions.firstIndex(of: position) else { continue }
        let recorded = row * denseLogits.count..<(row + 1) * denseLogits.count
        denseDifference = max(denseDifference, greatestDifference(denseLogits, text.dense[recorded]))
        sparseDifference = max(sparseDifference, greatestDifference(sparseLogits, text.sparse[recorded]))
        sourceDifference = max(sourceDifference, greatestDifference(denseLogits, text.source[recorded]))
      }
      decisions += text.kept.joined().reduce(0) { $0 + $1.count } + (text.keptHead?.joined().count ?? 0)
      disagreements += sparse.disagreements
    }
  }
}

/// Infinite where a difference is no number, so that it never passes for small.
func greatestDifference(_ a: [Float], _ b: ArraySlice<Float>) -> Double {
  zip(a, b).reduce(0) { largest, pair in
    let difference = Double((pair.0 - pair.1).magnitude)
    return difference.isNaN ? .infinity : max(largest, difference)
  }
}
