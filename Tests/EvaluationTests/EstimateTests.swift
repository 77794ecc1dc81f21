import Evaluation
import Testing

struct EstimateTests {
  /// By hand: the residuals of the clusters' sums are 0, −½ and ½.
  @Test func clustersOfDifferentSizes() {
    let estimate = Estimate(sums: [3, 1, 2], counts: [2, 1, 1])
    #expect(estimate.mean == 1.5)
    #expect((estimate.standardError ?? 0) == (1.5 * 0.5).squareRoot() / 4)
  }

  /// The textbook's standard error of a mean: of 1, 2, 4, 5 the sample variance is 10/3.
  @Test func clustersOfOneAreIndependentTerms() {
    let estimate = Estimate(sums: [1, 2, 4, 5], counts: [1, 1, 1, 1])
    #expect(estimate.mean == 3)
    #expect(((estimate.standardError ?? 0) - (10.0 / 3 / 4).squareRoot()).magnitude < 1e-15)
  }

  @Test func oneClusterHasNoStandardError() {
    #expect(Estimate(sums: [3, 0], counts: [2, 0]).standardError == nil)
    #expect(Estimate(sums: [], counts: []) == Estimate(sums: [0], counts: [0]))
  }
}
