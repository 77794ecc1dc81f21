/// Why a file that `torch.save` wrote could not be read.
public enum TorchError: Error, Equatable, Sendable {
  case notAnArchive
  case damaged(String)
  /// Something of it is beyond a dictionary of lists of dense tensors.
  case unsupported(String)
}

/// What a file calls something, for a sentence: short, and nothing that a terminal would take for a command.
func quoted(_ name: some StringProtocol) -> String { String(name.prefix(64)).debugDescription }

extension TorchError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notAnArchive:
      "it is no zip archive: save it with torch.save of PyTorch 1.6 or later, in its default format"
    case .damaged(let reason): "the archive is damaged: \(reason)"
    case .unsupported(let what): "it holds \(what), which a dictionary of lists of tensors has not"
    }
  }
}
