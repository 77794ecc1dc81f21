import Foundation

/// A task: questions of one kind, one a line of a JSONL file.
public struct QuestionFile: Sendable {
  public let path: String
  public let questions: [Question]

  /// The file's name without its extension.
  public var name: String { URL(filePath: path).deletingPathExtension().lastPathComponent }

  public init(path: String, questions: [Question]) {
    self.path = path
    self.questions = questions
  }

  /// Reads `{"contexts": […], "continuations": […], "gold": n}` a line; of the two lists one has one entry, the other
  /// one a choice. Blank lines are skipped, other keys are ignored.
  ///
  /// - Parameter limit: Questions to read at most, the first ones; lines behind them are not looked at.
  /// - Throws: ``TaskError``, which names file and line.
  public init(reading path: String, limit: Int = .max) throws(TaskError) {
    guard let data = FileManager.default.contents(atPath: path) else { throw .unreadable(path: path) }
    var questions: [Question] = []
    var line = 0
    for bytes in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      guard questions.count < limit else { break }
      line += 1
      guard !bytes.allSatisfy({ [0x20, 0x09, 0x0D].contains($0) }) else { continue }
      questions.append(try Self.question(Data(bytes), path: path, line: line))
    }
    guard !questions.isEmpty else {
      throw .malformed(path: path, line: max(line, 1), reason: "the file has no question")
    }
    self.init(path: path, questions: questions)
  }

  /// The `.jsonl` files of a folder, by name.
  public static func all(in folder: String, limit: Int = .max) throws(TaskError) -> [QuestionFile] {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { $0.hasSuffix(".jsonl") }.sorted()
    guard !names.isEmpty else { throw .noTasks(folder: folder) }
    var files: [QuestionFile] = []
    for name in names { files.append(try QuestionFile(reading: folder + "/" + name, limit: limit)) }
    return files
  }

  private struct Line: Decodable {
    var contexts: [String]
    var continuations: [String]
    var gold: Int
  }

  private static func question(_ bytes: Data, path: String, line: Int) throws(TaskError) -> Question {
    func fail(_ reason: String) -> TaskError { .malformed(path: path, line: line, reason: reason) }
    let parsed: Line
    do {
      parsed = try JSONDecoder().decode(Line.self, from: bytes)
    } catch DecodingError.keyNotFound(let key, _) {
      throw fail("'\(key.stringValue)' is missing")
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
      throw fail("'\(context.codingPath.first?.stringValue ?? "it")' has another type than it must have")
    } catch {
      throw fail("it is not JSON")
    }
    let counts = [parsed.contexts.count, parsed.continuations.count]
    let choices = counts.max() ?? 0
    guard counts.min() == 1, choices > 1 else {
      throw fail(
        "it has \(counts[0]) contexts and \(counts[1]) continuations: one of the two must be 1, the other more")
    }
    guard !parsed.continuations.contains(where: { $0.allSatisfy(\.isWhitespace) }) else {
      throw fail("a continuation is empty")
    }
    guard (0..<choices).contains(parsed.gold) else {
      throw fail("'gold' is \(parsed.gold), which is none of its \(choices) choices, counted from 0")
    }
    return Question(
      contexts: parsed.contexts, continuations: parsed.continuations, gold: parsed.gold, line: line)
  }
}
