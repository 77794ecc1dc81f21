/// What other runtimes read. Raw values are the words of `gambit handoff --to`.
public enum HandoffFormat: String, Sendable, CaseIterable, Codable {
  /// A Hugging Face folder, with code that applies thresholds.
  case transformers
  /// A graph of ONNX's own operators, and its weights beside it.
  case onnx
  /// One GGUF file for llama.cpp and its kin.
  case gguf
  /// The threshold dictionary of the authors of CHESS, a file of `torch.save`.
  case chessPt = "chess-pt"
  /// Thresholds relative to each token's greatest gate, as labscommunity/cascadia reads them.
  case perChannelJSON = "per-channel-json"
  /// A row a channel of the FFN, for spreadsheets and data frames.
  case csv

  /// Whether it is a folder.
  public var isFolder: Bool { self == .transformers || self == .onnx }

  /// Whether gate activations have to be counted for it.
  public var countsGates: Bool { self == .chessPt || self == .perChannelJSON }

  /// Whether the dense model is a part of it.
  public var holdsWeights: Bool { [.transformers, .onnx, .gguf].contains(self) }
}
