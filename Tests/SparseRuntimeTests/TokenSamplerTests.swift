import Foundation
import TestSupport
import Testing

@testable import SparseRuntime

struct TokenSamplerTests {
  @Test func withoutTemperatureTheMostLikelyTokenIsTaken() {
    var sampler = TokenSampler()
    #expect(sampler.next([0, 3, 2]) == 1)
    #expect(sampler.next([]) == 0)
  }

  @Test func firstOfEquallyLikelyTokensIsTakenWhereverItLies() {
    var sampler = TokenSampler()
    for count in [1, 5, 16, 17, 33, 100] {
      for place in 0..<count {
        var logits = [Float](repeating: -1, count: count)
        logits[place] = 2
        logits[count - 1] = 2
        #expect(sampler.next(logits) == Int32(place))
      }
    }
    #expect(sampler.next([.nan, 1, .nan, 2] + [Float](repeating: .nan, count: 40)) == 3)
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

  @Test func penaltyMakesAnotherTokenWin() {
    var sampler = TokenSampler(SamplingOptions(repetitionPenalty: 2))
    #expect(sampler.next([2, 1.5, -1]) == 0)
    #expect(sampler.next([2, 1.5, -1]) == 1)
    sampler.accept(2)
    #expect(sampler.next([-1.2, -1.3, -1]) == 2)  // −2.4, −2.6 and −2
  }

  @Test func filtersLeaveWhatTransformersLeaves() throws {
    let oracle = try Oracle.load()
    #expect(oracle.cases.count == 72)
    for expected in oracle.cases {
      var sampler = TokenSampler(
        SamplingOptions(
          temperature: expected.temperature, topK: expected.topK, topP: expected.topP, minP: expected.minP,
          repetitionPenalty: expected.repetitionPenalty))
      for token in oracle.seen { sampler.accept(token) }
      let found = sampler.distribution(oracle.logits)
      #expect(found.keys.sorted() == expected.tokens)
      for (token, probability) in zip(expected.tokens, expected.probabilities) {
        #expect(((found[token] ?? 0) - probability).magnitude < 1e-6)
      }
    }
  }
}

private struct Oracle: Decodable {
  struct Case: Decodable {
    var temperature: Double
    var topK: Int
    var topP: Double
    var minP: Double
    var repetitionPenalty: Double
    var tokens: [Int32]
    var probabilities: [Double]
  }

  var logits: [Float]
  var seen: [Int32]
  var cases: [Case]

  static func load() throws -> Oracle {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Oracle.self, from: Data(contentsOf: URL(filePath: SharedFixtures.path("sampling.json"))))
  }
}
