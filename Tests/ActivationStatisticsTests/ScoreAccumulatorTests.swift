import TestSupport
import Testing

@testable import ActivationStatistics

struct ScoreAccumulatorTests {
  @Test(arguments: [(1, 1, 1.0), (17, 40, 1), (16, 33, 8), (3, 60, 400)], [1, 7, 1000])
  func sumsAreThoseOfAPlainLoop(_ shape: (channels: Int, tokens: Int, deviation: Double), callSize: Int) {
    let (channels, tokens, deviation) = shape
    var numbers = RandomNumbers(seed: 2)
    let product = numbers.normals(tokens * channels, deviation: deviation)
    let half = zip(product, numbers.normals(tokens * channels, deviation: deviation / 10)).map { $0 + $1 }
    let accumulator = ScoreAccumulator(channels: channels)
    for start in stride(from: 0, to: tokens, by: callSize) {
      let rows = start * channels..<min(start + callSize, tokens) * channels
      accumulator.add(product: Array(product[rows]), half: Array(half[rows]), tokens: rows.count / channels)
    }
    var result = ScoreStatistics(channels: channels)
    #expect(accumulator.drain(into: &result))
    #expect(result == plainSums(product, half, channels))
    var nothing = ScoreStatistics(channels: channels)
    #expect(accumulator.drain(into: &nothing) && nothing == ScoreStatistics(channels: channels))
  }

  /// 64-bit sums of the largest squares overflow after 2¹³ tokens unless they are emptied in time.
  @Test func manyTokensDoNotOverflow() {
    let (tokens, x): (Int, Float) = (20_000, 31.9)
    let accumulator = ScoreAccumulator(channels: 1)
    accumulator.add(
      product: [Float](repeating: x, count: tokens), half: [Float](repeating: 0, count: tokens), tokens: tokens)
    var result = ScoreStatistics(channels: 1)
    #expect(accumulator.drain(into: &result))
    let square = Int128((Double(x) * Double(x) * 0x1p40).rounded())
    #expect(result.energy.units[0] == square * Int128(tokens) && result.error == result.energy)
    #expect(result.count[0] == Int64(tokens))
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity, 1e30], [false, true])
  func unusableNumberIsNoticed(x: Float, inHalf: Bool) {
    let accumulator = ScoreAccumulator(channels: 2)
    let (bad, good): ([Float], [Float]) = ([1, x], [1, 1])
    accumulator.add(product: inHalf ? good : bad, half: inHalf ? bad : good, tokens: 1)
    var result = ScoreStatistics(channels: 2)
    #expect(!accumulator.drain(into: &result))
  }

  /// One addition at a time, in 128 bits.
  private func plainSums(_ product: [Float], _ half: [Float], _ channels: Int) -> ScoreStatistics {
    func units(_ x: Float) -> Int128 { Int128((Double(x) * Double(x) * 0x1p40).rounded(.toNearestOrEven)) }
    var sums = ScoreStatistics(channels: channels)
    for i in product.indices {
      let cell = i % channels * LogarithmicBins.count + LogarithmicBins.bin(of: half[i])
      sums.count[cell] += 1
      sums.energy.units[cell] += units(product[i])
      sums.error.units[cell] += units(product[i] - half[i])
    }
    return sums
  }
}
