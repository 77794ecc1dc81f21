import Checkpoints
import Evaluation
import Files
import Foundation
import Reports
import SparseBundle
import ThresholdSolver
import Tokenizers

/// Multiple-choice tasks of a comparison, one answered by each row.
struct ComparisonTasks {
  /// A task, and what its answers depend on.
  private struct Part {
    var task: EncodedTask
    var digest: String
  }

  private let stage: TasksStage
  private let parts: [Part]
  /// The folder of finished results.
  private let cells: String

  /// Reads all questions.
  ///
  /// - Throws: `TaskError`.
  init(
    _ tasks: ComparisonDocument.Tasks, folder: String, _ model: Checkpoint, cells: String, threads: Int
  ) throws {
    stage = TasksStage(folder: folder, limit: tasks.limit ?? .max, threads: threads)
    self.cells = cells
    parts = try stage.tasks(Tokenizer(model.tokenizer), model.configuration).map { task in
      Part(task: task, digest: try sha256(ofFile: task.file.path))
    }
  }

  /// Answers what a row has not answered yet; each finished task stays.
  func run(_ candidate: ComparisonCandidate, _ console: Console) throws -> ComparisonRow.Tasks {
    var results: [ComparisonRow.Task] = []
    for part in parts {
      let key = StageCache.fingerprint([candidate.key, part.task.file.name, part.digest, "\(stage.limit)"])
      let path = "\(cells)/\(key).json"
      if let finished: ComparisonRow.Task = try? readReport(path) {
        results.append(finished)
        continue
      }
      console.note("compare: \(part.task.file.name) by \(candidate.label)")
      for result in try stage.run(candidate.source, candidate.thresholds, [part.task], console) {
        let finished = ComparisonRow.Task(result, questionsSha256: part.digest)
        try writeReport(finished, to: path)
        results.append(finished)
      }
    }
    return ComparisonRow.Tasks(results)
  }
}

extension ComparisonRow {
  /// How many questions of one task a row answers.
  public struct Task: Sendable, Codable, Equatable {
    public var task: String
    /// The accuracy that the task is usually reported by.
    public var metric: TaskResult.Metric
    public var accuracy: Double
    public var accuracyStderr: Double?
    public var questions: Int
    /// Of each question the choice by that metric, counted from 0, and the right one.
    public var predictions: [Int]
    public var gold: [Int]
    /// Digest of the task's file.
    public var questionsSha256: String
  }

  public struct Tasks: Sendable, Codable, Equatable {
    public var results: [Task]
    /// Each task weighs the same.
    public var mean: Double
    /// From the tasks' standard errors, which are independent.
    public var meanStderr: Double?
    /// The mean less the dense model's, and its standard error when answers are paired by question; `nil` of the dense
    /// model.
    public var difference: Double?
    public var differenceStderr: Double?
  }
}

extension ComparisonRow.Task {
  fileprivate init(_ result: TaskResult, questionsSha256: String) {
    self.init(
      task: result.task, metric: result.headline, accuracy: result.headlineAccuracy.mean,
      accuracyStderr: result.headlineAccuracy.standardError, questions: result.gold.count,
      predictions: result.headlinePredictions, gold: result.gold, questionsSha256: questionsSha256)
  }
}

extension ComparisonRow.Tasks {
  fileprivate init(_ results: [ComparisonRow.Task]) {
    let overall = Estimate(
      meanOf: results.map { Estimate(mean: $0.accuracy, standardError: $0.accuracyStderr) })
    self.init(results: results, mean: overall.mean, meanStderr: overall.standardError)
  }

  /// - Precondition: both answered the same questions.
  func difference(from other: ComparisonRow.Tasks) -> Estimate {
    Estimate(
      meanOf: zip(results, other.results).map {
        TaskResult.difference($0.predictions, from: $1.predictions, gold: $0.gold)
      })
  }
}
