import SparseRuntime
import Testing

struct TokenSamplerTests {
  @Test func withoutTemperatureTheMostLikelyTokenIsTaken() {
    var sampler = TokenSampler()
    #expect(sampler.next([0, 3, 2]) == 1)
    #expect(sampler.next([]) == 0)
  }

  @Test func seedDecides() {
    func tokens(_ seed: UInt64) -> [Int32] {
      var sampler = TokenSampler(SamplingOptions(temperature: 1, seed: seed))
      return (0..<20).map { _ in sampler.next([1, 1, 1, 1]) }
    }
    #expect(tokens(7) == tokens(7) && tokens(7) != tokens(8))
  }

  /// Within five standard deviations of what softmax says.
  @Test func tokensAreDrawnAsOftenAsTheyAreLikely() {
    var sampler = TokenSampler(SamplingOptions(temperature: 2, seed: 1))
    let draws = 10_000
    let ones = (0..<draws).count { _ in sampler.next([0, 2]) == 1 }
    #expect((Double(ones) / Double(draws) - 0.731).magnitude < 0.022)
  }
}
