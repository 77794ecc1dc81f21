import Files
import Tokenizers

/// Why a checkpoint cannot be read. Its text is one sentence: what is wrong, where, and what to do.
public enum CheckpointError: Error, Equatable, Sendable {
  /// The operating system refused.
  case file(FileError)

  /// The bytes contradict the format, or end too early.
  case malformed(path: String, problem: String)

  /// A correct file that asks for something which Gambit does not do.
  case unsupported(path: String, feature: String, known: [String])

  /// A file, key or tensor is not there.
  case missing(path: String, item: String)

  /// A shard that holds what was asked for is listed, but not here.
  case elsewhere(path: String, tensor: String, file: String)

  /// A tensor's shape contradicts the model's hyper-parameters. Shapes are outermost first.
  case wrongShape(path: String, tensor: String, shape: [Int], expected: [Int])

  /// The tokenizer in a directory cannot be read.
  case tokenizer(path: String, TokenizerError)

  /// A layer or token index outside the model was asked for.
  case outOfRange(item: String, index: Int, count: Int)
}

extension CheckpointError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .file(let error):
      return error.description
    case .malformed(let path, let problem):
      return "'\(path)' is damaged: \(problem); fetch or convert it again"
    case .unsupported(let path, let feature, let known):
      return "'\(path)' has \(feature), which is not supported; known: \(known.joined(separator: ", "))"
    case .missing(let path, let item):
      return "'\(path)' lacks \(item): is it a complete checkpoint?"
    case .elsewhere(let path, let tensor, let file):
      return
        "'\(path)' lacks the shard '\(file)', which holds '\(tensor)': fetch it, or collect only --layers whose shards are here"
    case .wrongShape(let path, let tensor, let shape, let expected):
      return "tensor '\(tensor)' in '\(path)' has shape \(shape), but the model's hyper-parameters ask for \(expected)"
    case .tokenizer(let path, let error):
      return "'\(path)' has a tokenizer that cannot be used: \(error)"
    case .outOfRange(let item, let index, let count):
      return "\(item) \(index) was asked for, but the model has \(count): valid are 0..<\(count)"
    }
  }
}

/// Runs `body` and wraps what the floor throws.
func wrappingFileErrors<Result>(_ body: () throws(FileError) -> Result) throws(CheckpointError) -> Result {
  do { return try body() } catch { throw .file(error) }
}
