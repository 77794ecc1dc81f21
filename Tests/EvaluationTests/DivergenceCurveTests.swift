import Evaluation
import Foundation
import Testing

struct DivergenceCurveTests {
  private let curve = DivergenceCurve([(bytes: 30, kl: 0.01), (bytes: 10, kl: 1), (bytes: 20, kl: 0.1)])

  @Test func pointsAreMetAndExponentialsBetweenThemToo() {
    #expect(abs((curve.kl(at: 20) ?? 0) - 0.1) < 1e-15)
    for bytes in [10, 12.5, 15, 29, 30] {
      #expect(abs((curve.kl(at: bytes) ?? 0) / pow(10, (10 - bytes) / 10) - 1) < 1e-12)
    }
  }

  @Test func frontierLeavesOutWhatAnotherBeats() {
    let curve = DivergenceCurve(
      frontierOf: [
        (bytes: 25, kl: 0.5), (bytes: 30, kl: 0.01), (bytes: 10, kl: 1), (bytes: 20, kl: 0.1), (bytes: 20, kl: 2),
      ])
    for bytes in [10.0, 15, 25, 29] {
      #expect(abs((curve.kl(at: bytes) ?? 0) / pow(10, (10 - bytes) / 10) - 1) < 1e-12)
    }
  }

  @Test func nothingIsGuessedBeyondTheEnds() {
    #expect(curve.kl(at: 9.99) == nil)
    #expect(curve.kl(at: 30.01) == nil)
    #expect(DivergenceCurve([]).kl(at: 1) == nil)
    #expect(DivergenceCurve([(bytes: 1, kl: 0), (bytes: 2, kl: -1e-9)]).kl(at: 1.5) == nil)
  }
}
