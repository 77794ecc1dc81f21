import TestSupport
import Testing

@testable import ActivationStatistics

struct FactorAccumulatorTests {
  struct Case: Sendable {
    let channels: Int
    let tokens: Int
    /// Of the factors, where 4 keeps nearly all and 400 few on the fast path.
    let deviation: Double
  }

  @Test(
    arguments: [
      Case(channels: 1, tokens: 1, deviation: 1), Case(channels: 17, tokens: 40, deviation: 1),
      Case(channels: 16, tokens: 33, deviation: 8), Case(channels: 3, tokens: 60, deviation: 400),
    ], [1, 7, 1000])
  func sumsAreThoseOfAPlainLoop(_ c: Case, callSize: Int) {
    var numbers = RandomNumbers(seed: 1)
    let gate = numbers.normals(c.tokens * c.channels, deviation: c.deviation)
    let up = numbers.normals(c.tokens * c.channels, deviation: c.deviation)
    let accumulator = FactorAccumulator(channels: c.channels)
    for start in stride(from: 0, to: c.tokens, by: callSize) {
      let rows = start * c.channels..<min(start + callSize, c.tokens) * c.channels
      accumulator.add(gate: Array(gate[rows]), up: Array(up[rows]), tokens: rows.count / c.channels)
    }
    let result = accumulator.finish()
    #expect(result.gate == plainSums(of: gate, product: zip(gate, up).map { $0 * $1 }, c.channels))
    #expect(result.up == plainSums(of: up, product: zip(gate, up).map { $0 * $1 }, c.channels))
    #expect(!result.sawUnusableNumber)
  }

  /// 64-bit sums of the largest squares overflow after 2¹⁶ tokens unless they are emptied in time.
  @Test func manyTokensDoNotOverflow() {
    let tokens = 70_000
    let x: Float = 11.3  // just below what 64 bits are used for
    let accumulator = FactorAccumulator(channels: 1)
    accumulator.add(gate: Array(repeating: x, count: tokens), up: Array(repeating: 1, count: tokens), tokens: tokens)
    let result = accumulator.finish()
    let bin = LogarithmicBins.bin(of: x)
    #expect(result.gate.count[bin] == Int64(tokens))
    let square = Int128((Double(x) * Double(x) * 0x1p40).rounded())
    #expect(result.gate.squareSum.units == [square * Int128(tokens)])
    #expect(result.gate.energy.units[bin] == square * Int128(tokens))
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity, 1e30], [false, true])
  func unusableNumberIsNoticed(x: Float, inUp: Bool) {
    let accumulator = FactorAccumulator(channels: 2)
    let (bad, good): ([Float], [Float]) = ([1, x], [1, 1])
    accumulator.add(gate: inUp ? good : bad, up: inUp ? bad : good, tokens: 1)
    #expect(accumulator.finish().sawUnusableNumber)
  }

  /// One addition at a time, in 128 bits.
  private func plainSums(of x: [Float], product: [Float], _ channels: Int) -> FactorStatistics {
    func units(_ value: Double) -> Int128 { Int128((value * 0x1p40).rounded(.toNearestOrEven)) }
    var sums = FactorStatistics(channels: channels)
    for (i, value) in x.enumerated() {
      let (wide, product) = (Double(value), Double(product[i]))
      let channel = i % channels
      let bin = LogarithmicBins.edges.lastIndex { $0 <= wide.magnitude } ?? 0
      let cell = channel * LogarithmicBins.count + bin
      sums.count[cell] += 1
      sums.energy.units[cell] += units(product * product)
      sums.sum.units[cell] += units(product)
      sums.absoluteSum.units[channel] += units(wide.magnitude)
      sums.squareSum.units[channel] += units(wide * wide)
    }
    return sums
  }
}
