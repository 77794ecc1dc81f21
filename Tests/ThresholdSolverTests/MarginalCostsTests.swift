import Foundation
import TestSupport
import Testing

@testable import ActivationStatistics
@testable import ThresholdSolver

struct MarginalCostsTests {
  private static let bins = LogarithmicBins.count

  /// Without a single value the other factor's mean square is all that is known.
  @Test func emptyBinsCostTheMean() {
    let costs = costs([Int64](repeating: 0, count: Self.bins), [Double](repeating: 0, count: Self.bins), 4)
    for threshold in [1e-6, 0.01, 1, 100, 1e5] {
      let solved = costs.threshold(logCost: log(4 * threshold * threshold))
      #expect((solved / threshold - 1).magnitude < 1e-3)
    }
  }

  /// The other factor grows with this one: the cost is t⁴.
  @Test func costsOfFullBinsAreTheirOwn() {
    let counts = [Int64](repeating: 1_000_000, count: Self.bins)
    let energies = (0..<Self.bins).map { bin in 1e6 * pow(middle(bin), 4) }
    let costs = costs(counts, energies, 1)
    for threshold in [0.1, 0.3, 1, 20] {
      #expect((costs.threshold(logCost: 4 * log(threshold)) / threshold - 1).magnitude < 0.01)
    }
  }

  /// A bin's one value is no reason to believe that its cost is a hundred times its neighbours'.
  @Test func thinBinsAreDrawnToTheMean() {
    var counts = [Int64](repeating: 1000, count: Self.bins)
    var energies = (0..<Self.bins).map { 1000 * pow(middle($0), 2) }
    let bin = LogarithmicBins.bin(of: 1)
    (counts[bin], energies[bin]) = (1, 100)
    let solved = costs(counts, energies, 1).threshold(logCost: 0)
    #expect((0.8...1.25).contains(solved))
  }

  /// However costs scatter from bin to bin, each has one threshold, and a higher one no lower.
  @Test func thresholdsAscendWithCost() {
    var numbers = RandomNumbers(seed: 5)
    let counts = (0..<Self.bins).map { _ in Int64(numbers.next() % 20) }
    let energies = counts.map { Double($0) * exp(3 * numbers.normal()) }
    let costs = costs(counts, energies, 1)
    let thresholds = stride(from: -60.0, through: 60, by: 0.1).map { costs.threshold(logCost: $0) }
    #expect(zip(thresholds, thresholds.dropFirst()).allSatisfy(<))
    #expect(thresholds.allSatisfy { $0 > 0 && $0.isFinite })
  }

  private func costs(_ counts: [Int64], _ energies: [Double], _ otherSquare: Double) -> MarginalCosts {
    MarginalCosts(counts: counts[...], energies: energies[...], otherSquare: otherSquare)
  }

  private func middle(_ bin: Int) -> Double {
    let edges = LogarithmicBins.edges
    return bin == Self.bins - 1 ? 1.5 * edges[bin] : (edges[bin] + edges[bin + 1]) / 2
  }
}
