import Checkpoints
import Foundation
import TestSupport
import Testing
import ThresholdSolver

struct GreedyDivisionTests {
  private let configuration: ModelConfiguration
  /// Weights that each place saves, and what a step saves: a tenth of the query projection's.
  private let weights: [Thresholds.Place: Double] = [
    .query: 4096, .key: 2048, .value: 2048, .output: 4096, .input: 10240, .otherInput: 10240, .down: 10240,
  ]
  private let step = 409.6

  init() throws { configuration = try TinyModel.llama.open().configuration }

  private func saved(_ shares: InputShares) -> Double {
    shares.reduce(0.0) { sum, cut in sum + cut.value * (weights[cut.key] ?? 0) }
  }

  /// Where losses add up and each grows ever faster, steps that are best one by one are best together: the least of all
  /// divisions of as many steps, tried one after the other.
  @Test(arguments: [1, 5, 11, 22], [(1.0, 2.0, 3.0), (5.0, 1.0, 0.2), (1.0, 1.0, 1.0)])
  func stepsAreTheBestDivisionOfLossesThatAddUp(steps: Int, factors: (Double, Double, Double)) throws {
    let factors: [Thresholds.Place: Double] = [.input: factors.0, .otherInput: factors.1, .down: factors.2]
    func loss(_ shares: InputShares) -> Double {
      shares.reduce(0.0) { sum, cut in sum + (factors[cut.key] ?? 0) * pow(cut.value, 2.5) }
    }
    let size = step / 10240
    var least = Double.infinity
    for first in 0...steps {
      for second in 0...(steps - first) {
        let third = steps - first - second
        let counts: [Thresholds.Place: Int] = [.input: first, .otherInput: second, .down: third]
        least = min(least, loss(counts.mapValues { Double($0) * size }))
      }
    }
    let shares = GreedyDivision(configuration, attention: false)
      .shares(at: [Double(steps) * step / (3 * 10240)], error: loss)[0]
    #expect((loss(shares) / least - 1).magnitude < 1e-9)
    #expect(Set(shares.keys) == [.input, .otherInput, .down])
  }

  /// Several sparsities in one search are what each is by itself, and save what one share everywhere would.
  @Test(arguments: [true, false])
  func everySparsityIsMetExactly(attention: Bool) throws {
    let division = GreedyDivision(configuration, attention: attention)
    // No two places cost the same: which of equal ones goes first would depend on rounding.
    let factors: [Thresholds.Place: Double] = [
      .query: 1.1, .key: 20, .value: 23, .output: 1.7, .input: 2.3, .otherInput: 3.1, .down: 7,
    ]
    func error(_ shares: InputShares) -> Double {
      factors.keys.sorted { $0.rawValue < $1.rawValue }
        .reduce(0.0) { sum, place in sum + (factors[place] ?? 0) * pow(shares[place] ?? 0, 3) }
    }
    let sparsities = [0.7, 0, 0.301, 0.305, 1, 0.5]
    let together = division.shares(at: sparsities, error: error)
    let total = saved(together[4])
    #expect(total == (attention ? 43008 : 30720) && together[4].allSatisfy { $0.value == 1 })
    #expect(together[1].allSatisfy { $0.value == 0 })
    for (sparsity, shares) in zip(sparsities, together) {
      #expect((saved(shares) - sparsity * total).magnitude < 1e-6 * total)
      #expect(shares.allSatisfy { (0...1).contains($0.value) })
      #expect(shares == division.shares(at: [sparsity], error: error)[0])
    }
  }

  /// What costs nothing goes first, until there is no more of it.
  @Test func aFreePlaceIsEmptiedFirst() throws {
    let division = GreedyDivision(configuration, attention: true)
    let shares = division.shares(at: [0.2]) { shares in
      shares.reduce(0.0) { sum, cut in sum + (cut.key == .up ? 0 : cut.value) }
    }[0]
    // A fifth of 43,008 weights is less than the up projection's 10,240.
    let up = try #require(shares[.up])
    #expect((up - 0.84).magnitude < 1e-9)
    #expect(shares.allSatisfy { $0.key == .up || $0.value == 0 })
  }
}

extension Thresholds.Place {
  fileprivate static var up: Self { .otherInput }
}
