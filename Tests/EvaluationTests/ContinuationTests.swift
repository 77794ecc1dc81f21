import Evaluation
import Testing

struct ContinuationTests {
  @Test func textsAreComparedPositionByPosition() {
    let text = ContinuationComparison(dense: [1, 2, 3, 4, 5], sparse: [1, 2, 9, 4])
    #expect(text.length == 5 && text.equalPrefix == 2)
    #expect(text.equalShare == 3.0 / 5 && text.equalPrefixShare == 2.0 / 5)
    let empty = ContinuationComparison(dense: [], sparse: [])
    #expect(empty.equalShare == 1 && empty.equalPrefixShare == 1)
    #expect(ContinuationComparison(dense: [], sparse: [1]).equalShare == 0)
  }

  /// Runs of 1 2 3 4 1 2 3 4 1: 1234, 2341, 3412, 4123, and again 1234, 2341.
  @Test func repetitionCountsRunsOfFour() {
    #expect(ContinuationComparison.repetition(of: [1, 2, 3, 4, 1, 2, 3, 4, 1]) == 2.0 / 6)
    #expect(ContinuationComparison.repetition(of: [7, 7, 7, 7, 7, 7]) == 2.0 / 3)
    #expect(ContinuationComparison.repetition(of: [1, 2, 3, 4]) == 0)
    #expect(ContinuationComparison.repetition(of: [1, 1, 1]) == 0 && ContinuationComparison.repetition(of: []) == 0)
  }
}
