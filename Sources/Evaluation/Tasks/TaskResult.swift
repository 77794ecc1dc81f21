import ThresholdSolver

/// What a model answered to a task's questions.
public struct TaskResult: Sendable, Equatable {
  /// Which of the two accuracies a task is usually reported by.
  public enum Metric: String, Sendable, Codable {
    case accuracy = "acc"
    case normalizedAccuracy = "acc_norm"
  }

  public let task: String
  /// Of each question's choices: Σ log p of the continuation's tokens after its context, in nats.
  public let logLikelihoods: [[Double]]
  /// What each layer dropped; empty where every channel was kept.
  public let shares: [Thresholds.Shares]
  /// By the greatest log-likelihood, and by the greatest log-likelihood a byte of the continuation; the first choice of
  /// equal ones.
  public let predictions: [Int]
  public let normalizedPredictions: [Int]
  /// The right choices.
  public let gold: [Int]

  /// - Precondition: `logLikelihoods` has one entry a question and choice of the file.
  public init(_ file: QuestionFile, _ logLikelihoods: [[Double]], shares: [Thresholds.Shares]) {
    precondition(file.questions.map(\.choices.count) == logLikelihoods.map(\.count))
    task = file.name
    self.logLikelihoods = logLikelihoods
    self.shares = shares
    gold = file.questions.map(\.gold)
    predictions = logLikelihoods.map(\.indexOfMaximum)
    normalizedPredictions = zip(logLikelihoods, file.questions).map { values, question in
      values.indices.map { values[$0] / Double(max(question.length($0), 1)) }.indexOfMaximum
    }
  }

  public var accuracy: Estimate { Self.accuracy(predictions, gold) }
  public var normalizedAccuracy: Estimate { Self.accuracy(normalizedPredictions, gold) }

  /// `acc_norm` where choices are of different lengths and the paper's tables have it, `acc` for all other tasks.
  public var headline: Metric {
    ["arc_challenge", "hellaswag", "openbookqa"].contains(task) ? .normalizedAccuracy : .accuracy
  }
  public var headlineAccuracy: Estimate { headline == .accuracy ? accuracy : normalizedAccuracy }
  public var headlinePredictions: [Int] { headline == .accuracy ? predictions : normalizedPredictions }

  /// This model's accuracy by the headline metric less another's, paired by question.
  ///
  /// - Precondition: both answered the same questions.
  public func difference(from other: TaskResult) -> Estimate {
    precondition(gold == other.gold)
    return Self.difference(headlinePredictions, from: other.headlinePredictions, gold: gold)
  }

  /// The accuracy of some answers less that of others to the same questions: with the standard error of paired answers,
  /// which what both know, or neither, does not add to.
  ///
  /// - Parameter gold: The right choices.
  /// - Precondition: all three are of the same questions.
  public static func difference(_ answers: [Int], from others: [Int], gold: [Int]) -> Estimate {
    precondition(answers.count == gold.count && others.count == gold.count)
    let gains = zip(gold, zip(answers, others)).map { right, answer in
      (answer.0 == right ? 1.0 : 0) - (answer.1 == right ? 1 : 0)
    }
    return Estimate(sums: gains, counts: [Int](repeating: 1, count: gold.count))
  }

  /// Questions are independent: the standard error is that of a mean, √(p(1 − p)/(n − 1)).
  private static func accuracy(_ predictions: [Int], _ gold: [Int]) -> Estimate {
    Estimate(
      sums: zip(predictions, gold).map { $0 == $1 ? 1 : 0 }, counts: [Int](repeating: 1, count: gold.count))
  }
}

extension [Double] {
  /// The first place of the greatest value; 0 of none.
  fileprivate var indexOfMaximum: Int { indices.reduce(0) { self[$1] > self[$0] ? $1 : $0 } }
}
