import Checkpoints
import Foundation

/// How a budget of bytes is divided between the places of cutting.
public enum Allocation: String, Sendable, Codable, CaseIterable {
  /// The same share of each.
  case uniform
  /// The shares of the FFN and of the inputs of attention's projections that together lose least, by what each place was
  /// measured to lose alone.
  case global
  /// Of methods that cut inputs, each layer's own share of every projection; see ``GreedyDivision``.
  case greedy
}

/// A value for each place that a budget is divided between. All cuts of the FFN are one.
public struct BudgetPlaces<Value: Sendable>: Sendable {
  public var ffn: Value
  public var query: Value
  public var output: Value
  /// Of key and value projections, which only some methods cut.
  public var key: Value?
  public var value: Value?

  public init(ffn: Value, query: Value, output: Value, key: Value? = nil, value: Value? = nil) {
    self.ffn = ffn
    self.query = query
    self.output = output
    self.key = key
    self.value = value
  }
}

/// The share to drop of each, the same in every layer; that of the FFN is averaged over its cuts. Of graded weights, the
/// share of each place's bytes that is not read.
public typealias BudgetShares = BudgetPlaces<Double>

extension BudgetPlaces: Equatable where Value: Equatable {}

extension BudgetPlaces {
  /// - Parameter value: That of key and value projections, too.
  public init(all value: Value) { self.init(ffn: value, query: value, output: value, key: value, value: value) }
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
  private static var step: Double { 0.001 }

  /// One place: the losses of its shares, multiples of the step up to the largest, and the weights that a share of 1 saves.
  private struct Candidate {
    private let losses: [Double]
    private let largest: Double
    let weight: Double

    init(_ curve: LossCurve, _ weight: Double, largest: Double) {
      let count = Int((largest / BudgetPlaces.step).rounded(.down))
      losses = (0...count).map { curve.loss(at: Double($0) * BudgetPlaces.step) } + [curve.loss(at: largest)]
      self.weight = weight
      self.largest = largest
    }

    /// The share that loses least where a weight that is not read is worth `price`.
    func share(_ price: Double) -> Double {
      var (best, least) = (0.0, Double.infinity)
      for (index, loss) in losses.enumerated() {
        let share = min(Double(index) * BudgetPlaces.step, largest)
        let cost = loss - price * weight * share
        if cost < least { (best, least) = (share, cost) }
      }
      return best
    }
  }

  /// The shares that save the bytes of `sparsity` at every place and lose least, if what places lose alone adds up: those
  /// at which one more weight costs the same everywhere.
  ///
  /// - Parameters:
  ///   - c: Says what each place weighs.
  ///   - isGraded: The FFN's share is of all its bytes, of which a third is always read; without, of the two matrices that
  ///     can be skipped.
  /// - Complexity: O(1), sixty passes over a few thousand losses.
  public func allocate(_ sparsity: Double, _ c: ModelConfiguration, isGraded: Bool = false) -> BudgetShares {
    // All weights of a bundle's layer matrices are of one type.
    let ffn = Double((isGraded ? 3 : 2) * c.hiddenSize * c.intermediateSize)
    let (query, key) = (Double(c.hiddenSize * c.queryWidth), Double(c.hiddenSize * c.keyValueWidth))
    // No place drops more unless it was asked to: losses there are far from where they were measured.
    let largest = Swift.max(sparsity, 0.9)
    let places =
      [
        Candidate(self.ffn, ffn, largest: isGraded ? SolverRequest.mostSaved : largest),
        Candidate(self.query, query, largest: largest), Candidate(output, query, largest: largest),
      ] + [self.key, value].compactMap { $0.map { Candidate($0, key, largest: largest) } }

    let budget = sparsity * places.reduce(0) { $0 + $1.weight }
    var (low, high) = (-100.0, 100.0)  // powers of two
    for _ in 0..<60 {
      let middle = (low + high) / 2
      let saved = places.reduce(0) { $0 + $1.weight * $1.share(exp2(middle)) }
      if saved < budget { low = middle } else { high = middle }
    }
    var shares = places.map { $0.share(exp2(high)) }
    // What the steps left over, a little of each place in proportion.
    let saved = zip(places, shares).reduce(0) { $0 + $1.0.weight * $1.1 }
    if saved > budget { shares = shares.map { $0 * budget / saved } }
    return BudgetPlaces<Double>(
      ffn: shares[0], query: shares[1], output: shares[2], key: shares.count > 3 ? shares[3] : nil,
      value: shares.count > 3 ? shares[4] : nil)
  }
}
