import Checkpoints
import Foundation

/// How a budget of bytes is divided between the places of cutting: the FFN, the inputs of the query projection and
/// those of the output projection.
public enum Allocation: String, Sendable, Codable, CaseIterable {
  /// The same share of each.
  case uniform
  /// The shares that together lose least, by what each place was measured to lose alone.
  case global
}

/// A value for each place that a budget is divided between. All cuts of the FFN are one.
public struct BudgetPlaces<Value: Sendable>: Sendable {
  public var ffn: Value
  public var query: Value
  public var output: Value

  public init(ffn: Value, query: Value, output: Value) {
    self.ffn = ffn
    self.query = query
    self.output = output
  }
}

/// The share to drop of each, the same in every layer. That of the FFN is averaged over its cuts.
public typealias BudgetShares = BudgetPlaces<Double>

extension BudgetPlaces: Equatable where Value: Equatable {}

extension BudgetPlaces {
  public init(all value: Value) { self.init(ffn: value, query: value, output: value) }
}

extension Thresholds.Shares {
  public var budget: BudgetShares {
    BudgetPlaces(ffn: ((input ?? 0) + ffn + (down ?? ffn)) / 2, query: query ?? 0, output: output ?? 0)
  }
}

/// What cutting one place alone loses, by the share dropped.
///
/// Between the shares at which it was measured, and beyond them, the logarithm of the loss is linear in that of the
/// share: losses grow with its 3rd to 5th power.
public struct LossCurve: Sendable {
  private let points: [(x: Double, y: Double)]

  /// - Parameter points: Shares, positive and ascending, with what is lost at them: two or more.
  public init(_ points: [(share: Double, loss: Double)]) {
    precondition(points.count > 1 && points[0].share > 0)
    precondition(zip(points, points.dropFirst()).allSatisfy { $0.share < $1.share })
    // A loss within rounding of 0, or below, has no logarithm.
    self.points = points.map { (log($0.share), log(max($0.loss, 1e-12))) }
  }

  /// What a share from 0 to 1 loses.
  public func loss(at share: Double) -> Double {
    guard share > 0 else { return 0 }
    let x = log(share)
    let end = points.indices.dropFirst().first { x <= points[$0].x } ?? points.count - 1
    let (low, high) = (points[end - 1], points[end])
    return exp(low.y + (x - low.x) * (high.y - low.y) / (high.x - low.x))
  }
}

extension BudgetPlaces<LossCurve> {
  /// The search's resolution; about their least losses are flat.
  private static var step: Double { 0.005 }
  /// No place drops more unless it was asked to: losses there are far from where they were measured.
  private static var largestShare: Double { 0.9 }

  /// The shares that save the bytes of `sparsity` at every place and lose least, if what places lose alone adds up.
  ///
  /// - Parameter c: Says what each place weighs.
  /// - Complexity: O(1), some ten thousand evaluations of each curve.
  public func allocate(_ sparsity: Double, _ c: ModelConfiguration) -> BudgetShares {
    // Of the FFN's three matrices two are saved at most; all weights of a bundle's layer matrices are of one type.
    let ffnWeights = Double(2 * c.hiddenSize * c.intermediateSize)
    let weights = Double(c.hiddenSize * c.queryWidth)  // of the query, and of the output projection
    let budget = sparsity * (ffnWeights + 2 * weights)
    let limit = Swift.max(sparsity, Self.largestShare)
    let shares = Array(stride(from: 0, through: limit, by: Self.step))
    let queryLosses = shares.map(query.loss)
    let outputLosses = shares.map(output.loss)

    var best = (loss: Double.infinity, shares: BudgetShares(all: sparsity))
    for (query, queryLoss) in zip(shares, queryLosses) {
      for (output, outputLoss) in zip(shares, outputLosses) {
        let ffn = (budget - (query + output) * weights) / ffnWeights
        guard ffn >= 0, ffn <= limit else { continue }
        let loss = queryLoss + outputLoss + self.ffn.loss(at: ffn)
        if loss < best.loss { best = (loss, BudgetShares(ffn: ffn, query: query, output: output)) }
      }
    }
    return best.shares
  }
}
