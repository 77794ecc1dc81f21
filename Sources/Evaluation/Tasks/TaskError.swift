/// Why a task could not be read or measured. Each text is one sentence: what, where, what to do.
public enum TaskError: Error, Equatable, Sendable {
  case noTasks(folder: String)
  case unreadable(path: String)
  case malformed(path: String, line: Int, reason: String)
  case tooLong(path: String, line: Int, tokens: Int, limit: Int)
}

extension TaskError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noTasks(let folder):
      "the folder '\(folder)' has no tasks: give one with .jsonl files, a question a line"
    case .unreadable(let path):
      "the task '\(path)' cannot be read: check that it is a file and may be read"
    case .malformed(let path, let line, let reason):
      "\(path):\(line) is no question that can be asked: \(reason)"
    case .tooLong(let path, let line, let tokens, let limit):
      "\(path):\(line) has \(tokens) tokens, more than the \(limit) that the model was made for: leave the question out"
    }
  }
}
