import ActivationStatistics
import ChatTemplates
import Checkpoints
import Corpus
import Evaluation
import Files
import Foundation
import Gzip
import Interchange
import Pipeline
import Signatures
import SparseBundle
import TestSupport
import ThresholdSolver
import Tokenizers
import Zstandard

/// A kind of file that may come from anywhere. Raw values are the names of the folders in `Seeds`.
enum FuzzedFormat: String, CaseIterable {
  case gguf
  case safetensors
  case configuration
  case tokenizer
  case template
  case manifest
  case thresholds
  case golden
  case pipeline
  case comparison
  case questions
  case seekable
  case compressed
  case statistics
  case sample
  case signature
  case dictionary
  case pickle
  case ratios

  /// How the file is called where readers go by the name.
  var fileName: String {
    switch self {
    case .signature: FolderSignature.fileName
    default: "input"
    }
  }

  /// Reads all that the file at `path` offers, as the program does. What it throws is well; to crash, to hang or to fill
  /// the memory is not.
  func read(_ path: String) throws {
    switch self {
    case .gguf: try readCheckpoint(path)
    case .safetensors: try readTensors(path)
    case .configuration: _ = try ModelConfiguration(huggingFaceConfiguration: path)
    case .tokenizer: try use(TokenizerModel(json: Data(contentsOf: URL(filePath: path))))
    case .template: try render(path)
    case .manifest: try readManifest(path)
    case .thresholds: try readThresholds(path)
    case .golden: _ = try GoldenVectors(SafetensorsFile(path: path), Self.seedConfiguration)
    case .pipeline: _ = try PipelineDocument(path: path)
    case .comparison: _ = try ComparisonDocument(path: path)
    case .questions: _ = try QuestionFile(reading: path)
    case .seekable: try readFrames(path)
    case .compressed: try unpack(path)
    case .statistics: try readStatistics(path)
    case .sample: _ = try TokenSequences(contentsOf: URL(filePath: path))
    case .dictionary: _ = try ForeignThresholds(path: path, .chessPt, for: Self.foreignConfiguration)
    // What lies in a dictionary, whose checksum would stop nearly all mutations.
    case .pickle:
      var reader = PickleReader(Array(try Data(contentsOf: URL(filePath: path)))[...])
      _ = try reader.read()
    case .ratios: _ = try ForeignThresholds(path: path, .perChannelJSON, for: Self.foreignConfiguration)
    case .signature:
      // What is signed is read only where the signature is one of a key that is trusted.
      try FolderSignature.check(URL(filePath: path).deletingLastPathComponent().path, trusting: [Self.trustedKey])
    }
  }

  private func readCheckpoint(_ path: String) throws {
    let checkpoint = try Checkpoint.open(path)
    _ = try checkpoint.weights.layer(0)
    try use(checkpoint.tokenizer)
  }

  private func readTensors(_ path: String) throws {
    let file = try SafetensorsFile(path: path)
    for tensor in file.header.tensors {
      _ = try tensor.type == .i32 ? file.integers(of: tensor.name).count : file.values(of: tensor.name).count
    }
  }

  private func use(_ model: TokenizerModel) throws {
    let tokenizer = try Tokenizer(model)
    _ = tokenizer.decode(tokenizer.encode("It's 12 o’clock,\n\n\tnaïve <s> 東京"))
  }

  private func render(_ path: String) throws {
    let source = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    let messages = [ChatMessage(role: .system, content: "Be brief."), ChatMessage(role: .user, content: "Hi")]
    _ = try ChatTemplate(source).prompt(for: messages, beginOfText: "<s>", endOfText: "</s>", clock: Self.clock)
  }

  /// A digest that fits, or else nothing behind it would ever be reached.
  private func readManifest(_ path: String) throws {
    let manifest = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    try Data(resealed(manifest)).write(to: URL(filePath: path))
    _ = try BundleManifest(reading: path)
  }

  private func readThresholds(_ path: String) throws {
    let thresholds = try Thresholds(SafetensorsFile(path: path))
    try thresholds.check(Self.seedConfiguration)
    _ = try thresholds.encoded()
  }

  private func readFrames(_ path: String) throws {
    let reader = try SeekableReader(path: path)
    for index in reader.frames.indices { _ = try reader.frame(index) }
  }

  /// As documents are: piece by piece, without ever holding more than a piece.
  private func unpack(_ path: String) throws {
    let file = try FileReader(path: path)
    let readers = [try ZstandardReader(source: file.chunks()).next, try GzipReader(source: file.chunks()).next]
    for next in readers {
      var unpacked = 0
      do { while unpacked < 16 << 20, let piece = try next() { unpacked += piece.count } } catch { _ = "\(error)" }
    }
  }

  private func readStatistics(_ path: String) throws {
    let file = try StatisticsFile(path: path)
    for layer in 0..<file.description.layerCount { _ = try file.layer(layer) }
  }

  // What seeds belong to.
  private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
  private static let seedConfiguration = try! ModelConfiguration(
    huggingFaceConfiguration: tests + "/Fuzzing/Seeds/configuration/planes")
  /// Of the model that seeds of thresholds computed elsewhere are for.
  private static let foreignConfiguration = {
    var c = seedConfiguration
    (c.layerCount, c.intermediateSize) = (2, 4)
    return c
  }()
  private static let trustedKey = try! TrustedKey(path: tests + "/SignaturesTests/Fixtures/key.pub")
  private static let clock = TemplateClock(Date(timeIntervalSince1970: 0), in: .gmt)
}
