import Checkpoints
import Foundation
import TestSupport
import Testing
import ThresholdSolver
import Tokenizers

@testable import Evaluation

struct TaskTests {
  /// What `make_task_oracle.py` wrote: every choice a text of its own, by transformers.
  private struct Oracle: Decodable {
    struct Model: Decodable {
      var logLikelihoods: [[Double]]
      var predictions: [Int]
      var predictionsNorm: [Int]
      var acc: [Double]
      var accNorm: [Double]
    }
    var models: [String: Model]
  }

  @Test(arguments: TinyModel.allCases)
  func answersAreThoseOfTransformers(_ model: TinyModel) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let oracle = try decoder.decode(Oracle.self, from: Data(bytes(ofFile: SharedFixtures.path("tasks/tiny.json"))))
    let expected = try #require(oracle.models[model.rawValue])
    let (weights, task) = try open(model)
    let result = try TaskMeasurement(weights, threads: 2).run(task, nil)
    for (scores, expected) in zip(result.logLikelihoods, expected.logLikelihoods) {
      #expect(scores.count == expected.count)
      for (score, expected) in zip(scores, expected) { #expect((score - expected).magnitude < 2e-4) }
    }
    #expect(result.task == "tiny" && result.logLikelihoods.count == 8 && result.shares.isEmpty)
    #expect(result.predictions == expected.predictions && result.normalizedPredictions == expected.predictionsNorm)
    for (estimate, expected) in [(result.accuracy, expected.acc), (result.normalizedAccuracy, expected.accNorm)] {
      #expect((estimate.mean - expected[0]).magnitude < 1e-12)
      #expect((try #require(estimate.standardError) - expected[1]).magnitude < 1e-12)
    }
  }

  /// Beside each choice as a text of its own, masked one value at a time.
  @Test(arguments: TinyModel.allCases, [false, true])
  func thresholdsActOnEveryPosition(_ model: TinyModel, isExtended: Bool) throws {
    let checkpoint = try model.open()
    let tokenizer = try Tokenizer(checkpoint.tokenizer)
    let thresholds = try checkpoint.someThresholds(isExtended: isExtended)
    let (weights, task) = try open(model)
    let result = try TaskMeasurement(weights, threads: 2).run(task, thresholds)
    let question = task.file.questions[0]
    for choice in question.choices {
      let context = tokenizer.encode(question.context(choice))
      let tokens = tokenizer.encode(question.context(choice) + question.continuation(choice))
      let masked = try logits(weights, [tokens], tap: { _ in MaskingTap(thresholds.layers) })[0].split(
        into: tokens.count)
      var expected = 0.0
      for position in context.count..<tokens.count {
        let row = masked[position - 1].map(Double.init)
        let top = row.max() ?? 0
        expected += row[Int(tokens[position])] - top - log(row.reduce(0) { $0 + exp($1 - top) })
      }
      #expect((result.logLikelihoods[0][choice] - expected).magnitude < 2e-4)
    }
    #expect(result.shares.count == checkpoint.configuration.layerCount && result.shares.allSatisfy { $0.ffn > 0.1 })
  }

  @Test func answersDoNotDependOnThreads() throws {
    let (weights, task) = try open(.llama)
    let thresholds = try TinyModel.llama.open().someThresholds()
    let one = try TaskMeasurement(weights, threads: 1).run(task, thresholds)
    #expect(try TaskMeasurement(weights, threads: 3).run(task, thresholds) == one)
  }

  /// What choices begin with in common is computed once, and the last token of none.
  @Test func choicesShareTheirPrompt() throws {
    let tokenizer = try Tokenizer(TinyModel.llama.open().tokenizer)
    func encode(_ contexts: [String], _ continuations: [String]) throws -> EncodedQuestion {
      try EncodedQuestion(
        Question(contexts: contexts, continuations: continuations, gold: 0, line: 1), tokenizer, path: "p")
    }
    let prompt = tokenizer.encode("Is it?\nAnswer:").count
    let question = try encode(["Is it?\nAnswer:"], [" a", " it"])
    let branches = [" a", " it"].map { tokenizer.encode($0).count - 1 }
    #expect(question.layout.prefix >= prompt && question.tokens.count <= prompt + branches.reduce(0, +))
    #expect(question.targets.map(\.count) == branches.map { $0 + 1 })

    let moved = try encode(["ends in spaces \n "], ["and goes", "or"])
    #expect(try moved.tokens == encode(["ends in spaces"], [" \n and goes", " \n or"]).tokens)
    let same = try encode(["x"], [" one", " one"])
    #expect(same.targets[0] == same.targets[1] && same.layout.branches.allSatisfy(\.isEmpty))
  }

  @Test(arguments: [
    (#"{"contexts": ["a"], "continuations": ["b", "c"]}"#, "'gold' is missing"),
    (#"{"contexts": "a", "continuations": ["b", "c"], "gold": 0}"#, "'contexts' has another type than it must have"),
    (
      #"{"contexts": ["a"], "continuations": ["b", "c"], "gold": 2}"#,
      "'gold' is 2, which is none of its 2 choices, counted from 0"
    ),
    (#"{"contexts": ["a"], "continuations": ["b", " "], "gold": 0}"#, "a continuation is empty"),
    (
      #"{"contexts": ["a"], "continuations": [], "gold": 0}"#,
      "it has 1 contexts and 0 continuations: one of the two must be 1, the other more"
    ),
    (#"{"contexts": ["a"], "#, "it is not JSON"),
  ])
  func malformedQuestionsAreNamed(line: String, reason: String) throws {
    let folder = TemporaryFolder()
    let path = folder.path("t.jsonl")
    let good = #"{"contexts": ["a"], "continuations": ["b", "c"], "gold": 0}"#
    try Data("\(good)\n\n\(line)\n".utf8).write(to: URL(filePath: path))
    #expect(throws: TaskError.malformed(path: path, line: 3, reason: reason)) { try QuestionFile(reading: path) }
    #expect(try QuestionFile(reading: path, limit: 1).questions.map(\.line) == [1])
    #expect(try QuestionFile.all(in: folder.root, limit: 1).map(\.name) == ["t"])
  }

  @Test func foldersWithoutQuestionsAreRefused() throws {
    let folder = TemporaryFolder()
    #expect(throws: TaskError.noTasks(folder: folder.root)) { try QuestionFile.all(in: folder.root) }
    try Data("\n".utf8).write(to: URL(filePath: folder.path("t.jsonl")))
    #expect(throws: TaskError.self) { try QuestionFile.all(in: folder.root) }
  }

  @Test func questionsLongerThanTheContextAreRefused() throws {
    let checkpoint = try TinyModel.llama.open()
    let text = String(repeating: "a, ", count: 300)
    let file = QuestionFile(
      path: "p", questions: [Question(contexts: [text], continuations: ["b", "c"], gold: 0, line: 7)])
    let error = #expect(throws: TaskError.self) {
      try EncodedTask(file, Tokenizer(checkpoint.tokenizer), checkpoint.configuration)
    }
    guard case .tooLong("p", 7, _, 256)? = error else { return #expect(Bool(false), "\(String(describing: error))") }
  }

  /// By hand: of 4 questions 2 and 3 are right, by bytes 1 more.
  @Test func accuraciesOfGivenScores() throws {
    let questions = [0, 1, 1, 0].map {
      Question(contexts: ["c"], continuations: [" é", " long"], gold: $0, line: 1)
    }
    let file = QuestionFile(path: "x/hellaswag.jsonl", questions: questions)
    let some = TaskResult(file, [[-3, -4], [-3, -4], [-5, -4], [-5, -9.9]], shares: [])
    #expect(some.predictions == [0, 0, 1, 0] && some.normalizedPredictions == [1, 1, 1, 1])
    #expect(some.accuracy.mean == 0.75 && some.headline == .normalizedAccuracy && some.headlineAccuracy.mean == 0.5)
    #expect((try #require(some.accuracy.standardError) - (0.75 * 0.25 / 3).squareRoot()).magnitude < 1e-15)
    let other = TaskResult(file, [[-3, -40], [-3, -40], [-5, -4], [-5, -40]], shares: [])
    let difference = other.difference(from: some)
    #expect(other.normalizedPredictions == [0, 0, 1, 0] && difference.mean == 0.25)
    #expect((try #require(difference.standardError) - (2.75 / 3 / 4).squareRoot()).magnitude < 1e-15)
  }

  private func open(_ model: TinyModel) throws -> (any WeightSource, EncodedTask) {
    let checkpoint = try model.open()
    let file = try QuestionFile(reading: SharedFixtures.path("tasks/tiny.jsonl"))
    return (
      checkpoint.weights, try EncodedTask(file, Tokenizer(checkpoint.tokenizer), checkpoint.configuration)
    )
  }
}
