import Evaluation
import SparseBundle
import ThresholdSolver

/// What `gambit evaluate tasks` found.
public struct TasksReport: Sendable, Encodable {
  public struct Task: Sendable, Encodable {
    public var task: String
    public var acc: Double
    /// Standard errors are absent of a single question.
    public var accStderr: Double?
    public var accNorm: Double
    public var accNormStderr: Double?
    /// Questions.
    public var n: Int
    /// Which of the two counts for the mean.
    public var headline: TaskResult.Metric
    /// The choice with the greatest log-likelihood, of each question.
    public var predictions: [Int]
    /// The choice with the greatest log-likelihood a byte.
    public var predictionsNorm: [Int]

    init(_ result: TaskResult) {
      task = result.task
      (acc, accStderr) = (result.accuracy.mean, result.accuracy.standardError)
      (accNorm, accNormStderr) = (result.normalizedAccuracy.mean, result.normalizedAccuracy.standardError)
      n = result.gold.count
      headline = result.headline
      predictions = result.predictions
      predictionsNorm = result.normalizedPredictions
    }
  }

  public var tasks: [Task]
  /// Of the tasks' headline metrics, each task weighing the same.
  public var mean: Double
  /// From the tasks' standard errors, which are independent.
  public var meanStderr: Double?
  public var weights: WeightType
  /// Shares dropped, averaged over layers and then over tasks; absent where every channel was kept.
  public var realised: Thresholds.Shares?

  public init(_ results: [TaskResult], weights: WeightType) {
    self.weights = weights
    tasks = results.map(Task.init)
    let overall = Estimate(meanOf: results.map(\.headlineAccuracy))
    (mean, meanStderr) = (overall.mean, overall.standardError)
    let shares = results.filter { !$0.shares.isEmpty }.map { Thresholds.Shares(meanOf: $0.shares) }
    realised = shares.isEmpty ? nil : Thresholds.Shares(meanOf: shares)
  }
}
