import Checkpoints
import Foundation
import TestSupport
import Testing
import ThresholdSolver

struct AllocationTests {
  private let configuration: ModelConfiguration
  /// Weights that each place saves.
  private let weights: BudgetPlaces<Double>

  init() throws {
    configuration = try TinyModel.llama.open().configuration
    weights = BudgetPlaces(ffn: 2 * 64 * 160, query: 64 * 64, output: 64 * 64)
  }

  private func curve(_ factor: Double, _ power: Double) -> LossCurve {
    LossCurve([0.25, 0.5, 0.75].map { ($0, factor * pow($0, power)) })
  }

  @Test(arguments: [0.01, 0.25, 0.3, 0.5, 0.6, 0.75, 0.9, 1])
  func curveOfAPowerIsThatPower(share: Double) {
    #expect(abs(curve(0.7, 3.5).loss(at: share) / (0.7 * pow(share, 3.5)) - 1) < 1e-12)
    #expect(curve(0.7, 3.5).loss(at: 0) == 0)
  }

  @Test func curveTakesTheSlopeOfTheNearestMeasurements() {
    let curve = LossCurve([(0.25, 0.001), (0.5, 0.01), (0.75, 0.1)])
    #expect(abs(curve.loss(at: 0.5) / 0.01 - 1) < 1e-12)
    // A share between two is where the logarithms say: the geometric means of both.
    #expect(abs(curve.loss(at: (0.25 * 0.5).squareRoot()) / (0.001 * 0.01).squareRoot() - 1) < 1e-12)
    #expect(abs(curve.loss(at: 0.125) / 0.0001 - 1) < 1e-12)
    #expect(curve.loss(at: 0.9) > 0.1)
  }

  /// Losses `a·s^k` with one k: by Lagrange's rule shares are as `(weights/a)^(1/(k − 1))`.
  @Test(arguments: [0.2, 0.5, 0.7], [(1.0, 1.0, 1.0), (4.0, 2.0, 3.0), (20.0, 1.0, 2.0)])
  func sharesAreThoseOfEqualPrices(sparsity: Double, factors: (Double, Double, Double)) throws {
    let power = 3.5
    let curves = BudgetPlaces(
      ffn: curve(factors.0, power), query: curve(factors.1, power), output: curve(factors.2, power))
    let shares = curves.allocate(sparsity, configuration)
    let ideal = BudgetPlaces(
      ffn: pow(weights.ffn / factors.0, 1 / (power - 1)), query: pow(weights.query / factors.1, 1 / (power - 1)),
      output: pow(weights.output / factors.2, 1 / (power - 1)))
    let scale = sparsity * saved(by: BudgetShares(all: 1)) / saved(by: ideal)
    // Where the rule asks for more than can be measured, the search stops short.
    guard [ideal.ffn, ideal.query, ideal.output].allSatisfy({ scale * $0 < 0.9 }) else { return }
    #expect(abs(shares.ffn - scale * ideal.ffn) < 0.01)
    #expect(abs(shares.query - scale * ideal.query) < 0.01)
    #expect(abs(shares.output - scale * ideal.output) < 0.01)
  }

  @Test(arguments: [0.05, 0.3, 0.5, 0.85, 0.97])
  func bytesAreThoseOfOneShare(sparsity: Double) {
    let curves = BudgetPlaces(ffn: curve(1, 3), query: curve(9, 5), output: curve(0.1, 4))
    let shares = curves.allocate(sparsity, configuration)
    #expect(abs(saved(by: shares) / (sparsity * saved(by: BudgetShares(all: 1))) - 1) < 1e-9)
    #expect([shares.ffn, shares.query, shares.output].allSatisfy { (0...max(0.9, sparsity)).contains($0) })
  }

  @Test func allOrNothingLeavesNothingToDivide() {
    let curves = BudgetPlaces(ffn: curve(1, 3), query: curve(9, 5), output: curve(0.1, 4))
    #expect(curves.allocate(0, configuration) == BudgetShares(ffn: 0, query: 0, output: 0))
    let all = curves.allocate(1, configuration)
    #expect([all.ffn, all.query, all.output].allSatisfy { abs($0 - 1) < 1e-9 })
  }

  /// Of graded weights key and value projections are places of their own, and the FFN's share is of three matrices.
  @Test(arguments: [0.3, 0.5])
  func gradedPlacesSaveTheBytesOfOneShare(sparsity: Double) throws {
    let curves = BudgetPlaces(
      ffn: curve(1, 3), query: curve(9, 5), output: curve(0.1, 4), key: curve(2, 4), value: curve(5, 4))
    let shares = curves.allocate(sparsity, configuration, isGraded: true)
    let (key, value) = (try #require(shares.key), try #require(shares.value))
    let weights = (ffn: 3.0 * 64 * 160, query: 64.0 * 64, key: 64.0 * 32)
    let saved = shares.ffn * weights.ffn + (shares.query + shares.output) * weights.query + (key + value) * weights.key
    #expect(abs(saved / (sparsity * (weights.ffn + 2 * weights.query + 2 * weights.key)) - 1) < 1e-9)
    // One more weight costs the same at two places that differ in their factor alone; shares are found by steps of 0.001.
    #expect(abs(key - value * pow(5.0 / 2, 1.0 / 3)) < 0.002)
    #expect(shares.ffn <= 0.66)
  }

  @Test func withoutAttentionBothAllocationsAreTheSame() throws {
    let alone = try SolverRequest(method: .energy, attention: false, allocation: .global, sparsity: 0.5)
    #expect(alone == (try SolverRequest(method: .energy, attention: false, sparsity: 0.5)))
    let uniform = try SolverRequest(method: .energy, attention: true, allocation: .uniform, sparsity: 0.5)
    #expect(uniform == (try SolverRequest(method: .energy, attention: true, sparsity: 0.5)))
    let global = try SolverRequest(method: .energy, attention: true, allocation: .global, sparsity: 0.5)
    #expect(global.allocation == .global && global.fileLabel == "energy-attention-global")
  }

  /// An input cut is in proportion to the FFN's share: 0.2 at 50% is 0.24 at 60%.
  @Test func eachPlaceDropsItsOwnShare() throws {
    let record = try Calibration(skipping: 0).records[1]
    let request = try SolverRequest(
      method: .chess, inputCut: 0.2, attention: true, allocation: .global, sparsity: 0.5)
    let places = BudgetShares(ffn: 0.6, query: 0.1, output: 0.35)
    let layer = Thresholds.Layer.solve(record, [request], places: [places], gateActivation: .silu)[0]
    let shares = layer.sharesDropped(record, gateActivation: .silu)
    let (input, query, output) = try (#require(shares.input), #require(shares.query), #require(shares.output))
    #expect(abs(shares.ffn - 0.48) < 1e-3 && abs(input - 0.24) < 1e-3)
    #expect(abs(query - 0.1) < 1e-3 && abs(output - 0.35) < 1e-3)
    #expect(abs(shares.budget.ffn - places.ffn) < 1e-3 && shares.budget.query == query)
  }

  private func saved(by shares: BudgetShares) -> Double {
    shares.ffn * weights.ffn + shares.query * weights.query + shares.output * weights.output
  }
}
