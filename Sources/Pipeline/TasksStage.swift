import Checkpoints
import Evaluation
import Reports
import ThresholdSolver
import Tokenizers

/// tasks and a model → how many questions it answers
public struct TasksStage: Sendable {
  public var folder: String
  /// Questions of each task at most, the first ones.
  public var limit: Int
  public var threads: Int

  public init(folder: String, limit: Int = .max, threads: Int) {
    self.folder = folder
    self.limit = limit
    self.threads = threads
  }

  /// Reads all tasks before any is asked.
  ///
  /// - Throws: ``TaskError``.
  public func tasks(_ tokenizer: Tokenizer, _ configuration: ModelConfiguration) throws -> [EncodedTask] {
    try QuestionFile.all(in: folder, limit: limit).map { try EncodedTask($0, tokenizer, configuration) }
  }

  /// - Parameters:
  ///   - thresholds: What to skip; nothing where it is `nil`.
  ///   - finished: Called with each task's result as soon as it is there.
  public func run(
    _ weights: any WeightSource, _ thresholds: Thresholds?, _ tasks: [EncodedTask], _ console: Console,
    finished: (TaskResult) -> Void = { _ in }
  ) throws -> [TaskResult] {
    let total = tasks.reduce(0.0) { $0 + Double($1.tokens) }
    return try console.task("evaluate tasks", total: total, unit: "tokens") { progress in
      var done = 0.0
      return try tasks.map { task in
        let result = try TaskMeasurement(weights, threads: threads).run(task, thresholds) {
          progress.advance(to: done + $0 * Double(task.tokens))
        }
        done += Double(task.tokens)
        finished(result)
        return result
      }
    }
  }
}
