import Foundation
import Tokenizers

/// A model on disk: a GGUF file, or a directory in Hugging Face's layout.
///
///     let checkpoint = try Checkpoint.open("SmolLM2-135M-Instruct.Q4_1.gguf")
///     checkpoint.configuration.layerCount  // 30
///     try checkpoint.weights.layer(0).gate  // Matrix, [1536, 576], dequantised
///     try checkpoint.tokenizer.tokens.count  // 49152
///
/// Opening reads headers and checks that each tensor is there, in its shape and inside its file.
/// Weights and tokenizer are read when asked for; only the file's hash is kept.
public struct Checkpoint: Sendable {
  /// How the model is stored.
  public enum Format: String, Sendable {
    case gguf
    case huggingFace = "huggingface"
  }

  /// The path as given.
  public let path: String
  public let format: Format
  /// What the model calls itself, or else its file or folder.
  public let name: String
  public let weights: any WeightSource
  private let source: Source
  private let digest: Digest

  public var configuration: ModelConfiguration { weights.configuration }

  /// The number of weights, each counted once: a tied head is the embedding matrix.
  public var parameterCount: Int { configuration.parameterCount }

  private enum Source: Sendable {
    case gguf(GGUFFile)
    case directory(HuggingFaceDirectory)
  }

  /// Opens a GGUF file, or a directory with `config.json` and safetensors.
  ///
  /// - Throws: ``CheckpointError`` where something is missing, damaged or not supported.
  /// - Complexity: O(the headers' size); weights are not touched.
  public static func open(_ path: String) throws(CheckpointError) -> Checkpoint {
    var isDirectory: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    return isDirectory.boolValue ? try Checkpoint(directory: path) : try Checkpoint(file: path)
  }

  private init(file path: String) throws(CheckpointError) {
    let file = try GGUFFile(path: path)
    let configuration = try file.modelConfiguration()
    let fileName = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    self.path = path
    format = .gguf
    name = try file.string("general.name") ?? fileName
    weights = try StoredWeights(file, naming: .gguf, configuration: configuration)
    source = .gguf(file)
    digest = Digest(files: [path])
  }

  private init(directory path: String) throws(CheckpointError) {
    let directory = try HuggingFaceDirectory(path: path)
    self.path = path
    format = .huggingFace
    name = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
    weights = try StoredWeights(directory.shards, naming: .huggingFace, configuration: directory.configuration)
    source = .directory(directory)
    digest = Digest(files: directory.files, listed: directory.shards.checksums)
  }

  /// What the checkpoint's tokenizer is made of, read anew at each call.
  public var tokenizer: TokenizerModel {
    get throws(CheckpointError) {
      switch source {
      case .gguf(let file): try file.tokenizerModel()
      case .directory(let directory): try directory.tokenizerModel()
      }
    }
  }

  /// The SHA-256 of a GGUF file, as `sha256sum` prints it; of a directory, that of one line
  /// `digest  name` for each of its files that matter, sorted by name, as `sha256sum NAMES | sha256sum` prints it. Of
  /// shards that are not here, it is the digest that `SHA256SUMS` lists; those that are here must have theirs.
  ///
  /// - Throws: ``CheckpointError``.
  /// - Complexity: O(the files' size) the first time, then O(1).
  public var hash: String {
    get throws(CheckpointError) { try digest.value() }
  }
}
