import TestSupport
import Testing

@testable import ActivationStatistics

struct ExactSumsTests {
  /// Sums of every size up to the limit, each side of zero.
  private static let units: [Int128] = {
    var numbers = RandomNumbers(seed: 1)
    let random = (0..<105).map { (Int128(1) << Int128($0)) + Int128(numbers.next() >> 20) }
    let largest = ExactSums.limit
    return [0, 1, largest] + random.filter { $0 <= largest } + random.filter { $0 <= largest }.map { -$0 }
  }()

  @Test func valuesAndResidualsHoldSumsExactly() throws {
    var sums = ExactSums(count: Self.units.count)
    sums.units = Self.units
    #expect(sums.isStorable)
    #expect(try #require(ExactSums(values: sums.values, residuals: sums.residuals)) == sums)
  }

  @Test func smallSumsHaveNoResidual() {
    var sums = ExactSums(count: 2)
    sums.units = [1 << 53, -(1 << 53)]
    #expect(sums.values == [8192, -8192] && sums.residuals == [0, 0])
    #expect(ExactSums(values: sums.values, residuals: nil) == sums)
  }

  @Test func orderOfAddingDoesNotMatter() {
    var numbers = RandomNumbers(seed: 2)
    var parts = (0..<20).map { _ in
      var part = ExactSums(count: 3)
      part.units = part.units.map { _ in
        ExactSums.units(of: numbers.normal() * .random(in: 0..<1e12, using: &numbers)) ?? 0
      }
      return part
    }
    func total() -> ExactSums { parts.reduce(into: ExactSums(count: 3)) { $0 += $1 } }
    let expected = total()
    for _ in 0..<10 {
      parts.shuffle(using: &numbers)
      #expect(total() == expected)
    }
    // Associative as well: the sums of two halves make the whole.
    var halves = parts.prefix(7).reduce(into: ExactSums(count: 3)) { $0 += $1 }
    halves += parts.dropFirst(7).reduce(into: ExactSums(count: 3)) { $0 += $1 }
    #expect(halves == expected)
  }

  @Test func sumBeyondTheLimitIsNotStorable() {
    var sums = ExactSums(count: 2)
    sums.units[1] = -ExactSums.limit - 1
    #expect(!sums.isStorable)
  }

  @Test(arguments: [
    (Double.nan, 0.0), (.infinity, 0), (0, .nan), (0x1p-41, 0), (1, 0x1p-41), (0x1p66, 0), (0x1p65, 0x1p65), (1e300, 0),
  ])
  func whatIsNoSumIsRefused(value: Double, residual: Double) {
    #expect(ExactSums(values: [value], residuals: [residual]) == nil)
  }

  @Test func roundingIsToTheNearest() {
    var numbers = RandomNumbers(seed: 3)
    for exponent in -50..<11 {
      let x = Double.random(in: -1...1, using: &numbers) * Double(sign: .plus, exponent: exponent, significand: 1)
      let expected = Int128((x * 0x1p40).rounded(.toNearestOrEven))
      #expect(ExactSums.units(of: x) == expected)
    }
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, 0x1p60])
  func whatNoActivationCanBeHasNoUnits(x: Double) { #expect(ExactSums.units(of: x) == nil) }
}
