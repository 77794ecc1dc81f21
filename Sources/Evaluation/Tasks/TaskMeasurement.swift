import Checkpoints
import Foundation
import LinearAlgebra
import Synchronization
import ThresholdSolver
import Tokenizers
import Transformer

/// A task's questions, ready to be asked of any model with one tokenizer.
public struct EncodedTask: Sendable {
  public let file: QuestionFile
  let questions: [EncodedQuestion]

  /// - Throws: ``TaskError`` that names the question which cannot be asked.
  public init(_ file: QuestionFile, _ tokenizer: Tokenizer, _ configuration: ModelConfiguration) throws(TaskError) {
    self.file = file
    var questions: [EncodedQuestion] = []
    for question in file.questions {
      let encoded = try EncodedQuestion(question, tokenizer, path: file.path)
      guard encoded.longest <= configuration.contextLength else {
        throw .tooLong(
          path: file.path, line: question.line, tokens: encoded.longest, limit: configuration.contextLength)
      }
      let targets = encoded.targets.joined().lazy.map(\.token)
      guard (encoded.tokens + targets).allSatisfy({ $0 >= 0 && $0 < configuration.vocabularySize }) else {
        throw .malformed(
          path: file.path, line: question.line, reason: "it has tokens beyond the model's vocabulary")
      }
      questions.append(encoded)
    }
    self.questions = questions
  }

  /// Tokens that a forward pass computes: what choices share counts once.
  public var tokens: Int { questions.reduce(0) { $0 + $1.tokens.count } }
}

/// Scores the choices of a task's questions by their log-likelihoods.
///
///     let task = try EncodedTask(QuestionFile(reading: "piqa.jsonl"), tokenizer, model.configuration)
///     let result = try TaskMeasurement(model.weights, threads: 2).run(task, thresholds)
///     result.accuracy.mean
///
/// All questions go through a layer before the next one's weights are needed. What the choices of a question begin
/// with in common is computed once, and the output head only where a continuation is predicted. Thresholds act on
/// every position.
public struct TaskMeasurement: Sendable {
  private static let rowsOfLogits = 64

  private let weights: any WeightSource
  private let threads: Int
  private let walk: ThresholdWalk

  /// - Parameter memoryBudget: Bytes of activations to keep in memory; the others go to a scratch file in the system's
  ///   folder for these.
  public init(_ weights: any WeightSource, threads: Int, memoryBudget: Int = 2_000_000_000) {
    self.weights = weights
    self.threads = threads
    walk = ThresholdWalk(weights, threads: threads, memoryBudget: memoryBudget)
  }

  /// - Parameters:
  ///   - thresholds: What to skip; nothing where it is `nil`.
  ///   - progress: Called with the share of the work that is done.
  public func run(
    _ task: EncodedTask, _ thresholds: Thresholds?, progress: (_ share: Double) -> Void = { _ in }
  ) throws -> TaskResult {
    let layers = Double(weights.configuration.layerCount + 1)  // the output head counts as a layer
    var walked = try walk.run(task.questions.map(\.tokens), layouts: task.questions.map(\.layout), thresholds) {
      progress(Double($0) / layers)
    }
    let head = try walked.pass.outputHead(weights, hasHighPlane: thresholds?.headMargin != nil)
      .onDemand(margin: thresholds?.headMargin, offsets: thresholds?.headOffsets)
    let logLikelihoods = try logLikelihoods(task.questions, walked.states, head)
    walked.shares.setHead(head)
    progress(1)
    return TaskResult(task.file, logLikelihoods, shares: walked.shares)
  }

  /// A row of hidden states whose logits are needed, and the targets that it predicts, as `(choice, token)`.
  private struct Row {
    var question: Int
    var row: Int
    var targets: [(choice: Int, token: Int32)]
  }

  /// `[questions][choices]`. Rows are taken 64 at a time, whichever questions they are of: a product with few rows
  /// would read the output head for each question anew.
  private func logLikelihoods(
    _ questions: [EncodedQuestion], _ states: HiddenStates, _ head: OutputHead
  ) throws -> [[Double]] {
    let rows = questions.enumerated().flatMap { index, question in
      var byRow: [Int: [(Int, Int32)]] = [:]
      for (choice, targets) in question.targets.enumerated() {
        for target in targets { byRow[target.row, default: []].append((choice, target.token)) }
      }
      return byRow.sorted { $0.key < $1.key }.map { Row(question: index, row: $0, targets: $1) }
    }
    let starts = Array(stride(from: 0, to: rows.count, by: Self.rowsOfLogits))
    let terms = Mutex([[[Double]]](repeating: [], count: starts.count))  // by chunk, row and target
    try forEachIndex(below: starts.count, threads: threads) { _, chunk in
      let rows = rows[starts[chunk]..<min(starts[chunk] + Self.rowsOfLogits, rows.count)]
      let logits = try self.logits(rows, states, head)
      let values = rows.indices.map { index in
        let row = index - rows.startIndex
        let sum = VectorMath.logSumExp(logits.row(row), count: logits.columns)
        return rows[index].targets.map { Double(logits[row, Int($0.token)] - sum) }
      }
      guard values.joined().allSatisfy(\.isFinite) else { throw NonFiniteLogits() }
      terms.withLock { $0[chunk] = values }
    }
    var sums = questions.map { [Double](repeating: 0, count: $0.targets.count) }
    for (row, values) in zip(rows, terms.withLock { $0.joined() }) {
      for (target, value) in zip(row.targets, values) { sums[row.question][target.choice] += value }
    }
    return sums
  }

  private func logits(_ rows: ArraySlice<Row>, _ states: HiddenStates, _ head: OutputHead) throws -> Matrix {
    let gathered = Matrix(rows: rows.count, columns: states.width)
    var (current, hidden) = (-1, Matrix(rows: 0, columns: states.width))
    for (index, row) in rows.enumerated() {
      if row.question != current {
        hidden = try states.sequence(row.question)
        current = row.question
      }
      gathered.row(index).update(from: hidden.row(row.row), count: states.width)
    }
    return head.logits(gathered, rows: 0..<rows.count)
  }
}
