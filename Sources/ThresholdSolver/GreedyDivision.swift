import Checkpoints

/// TEAL's block-wise greedy search (Liu et al. 2024, arXiv 2408.14690, algorithm 1): how a layer's budget is divided
/// between the inputs of its projections.
///
///     let division = GreedyDivision(model.configuration, attention: true)
///     let shares = try division.shares(at: [0.3, 0.5]) { try errorOfTheLayersOutput(under: $0) }
///
/// All projections start whole. In every step each of them is tried with a little more of its input left out, the same
/// number of weights whichever it is, and the one with which the layer's output errs least keeps its step, until the
/// layer leaves out the share asked for. Every layer leaves out the same share of its weights; how that is divided is its
/// own. A step is a tenth of the query projection's weights, twice that of TEAL's own program: half as many errors to find.
///
/// It knows no model: what an error is, and of which text, is the caller's.
public struct GreedyDivision: Sendable {
  /// Weights that a step leaves out, as a share of the query projection's.
  private static let step = 0.1

  private let attention: Bool
  private let places: [(place: Thresholds.Place, weights: Double)]
  private let step: Double

  /// - Parameter attention: Whether query, key, value and output projections are cut, too.
  public init(_ c: ModelConfiguration, attention: Bool) {
    func weights(_ place: Thresholds.Place) -> Int {
      switch place {
      case .query, .output: c.hiddenSize * c.queryWidth
      case .key, .value: c.hiddenSize * c.keyValueWidth
      case .ffn, .input, .otherInput, .down: c.hiddenSize * c.intermediateSize
      }
    }
    self.attention = attention
    places = Thresholds.Place.inputs(attention: attention).map { ($0, Double(weights($0))) }
    step = Self.step * Double(weights(.query))
  }

  /// What one layer leaves out of each projection's input.
  ///
  /// - Parameters:
  ///   - sparsities: Shares of the layer's weights to leave out, 0 to 1.
  ///   - error: How far the layer's output is from the dense one's where its inputs are cut so.
  /// - Returns: One for each sparsity; their steps are the same as far as they go, and the last one is cut short.
  /// - Complexity: seven errors a step.
  public func shares(at sparsities: [Double], error: (InputShares) throws -> Double) rethrows -> [InputShares] {
    let total = places.reduce(0) { $0 + $1.weights }
    var shares = InputShares(all: 0, attention: attention)
    var saved = 0.0
    var last = places[0]
    var found = sparsities.map { _ in shares }
    for index in sparsities.indices.sorted(by: { sparsities[$0] < sparsities[$1] }) {
      let budget = sparsities[index] * total
      // Sums of steps are known to rounding only: a rest of it is no step of its own.
      while saved < budget - 1e-9 * total {
        var best: (place: (place: Thresholds.Place, weights: Double), share: Double, error: Double)?
        for place in places {
          guard let share = shares[place.place], share < 1 else { continue }
          var tried = shares
          tried[place.place] = min(share + step / place.weights, 1)
          let error = try error(tried)
          if error < best?.error ?? .infinity { best = (place, tried[place.place] ?? 1, error) }
        }
        guard let best else { break }
        saved += (best.share - (shares[best.place.place] ?? 0)) * best.place.weights
        shares[best.place.place] = best.share
        last = best.place
      }
      found[index] = shares
      found[index][last.place]? -= max(saved - budget, 0) / last.weights
    }
    return found
  }
}
