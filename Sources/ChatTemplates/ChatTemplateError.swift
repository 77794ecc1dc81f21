/// Why a chat template gives no prompt. Each text is one sentence; lines count from one.
public enum ChatTemplateError: Error, Equatable, Sendable {
  /// It is not Jinja.
  case syntax(line: Int, problem: String)

  /// It asks for a part of Jinja that is not here.
  case unsupported(line: Int, feature: String)

  /// What it computes makes no sense, such as an attribute of an undefined value.
  case failed(line: Int, problem: String)

  /// The template itself refuses the conversation, by `raise_exception`.
  case refused(message: String)

  /// It needs more than a template may: it came with a model from elsewhere, and must not hang the program.
  case limit(line: Int, what: String)
}

extension ChatTemplateError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .syntax(let line, let problem):
      return "The model's chat template can't be read at line \(line): \(problem)."
    case .unsupported(let line, let feature):
      return "The model's chat template uses \(feature) at line \(line), which Gambit doesn't support."
    case .failed(let line, let problem):
      return "The model's chat template fails at line \(line): \(problem)."
    case .refused(let message):
      return "The model's chat template refuses this conversation: \(message)"
    case .limit(let line, let what):
      return "The model's chat template was stopped at line \(line): it needs more than \(what)."
    }
  }
}
