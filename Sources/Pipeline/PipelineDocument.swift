import Checkpoints
import Corpus
import SparseBundle
import ThresholdSolver

/// What a pipeline file says. `schemas/pipeline.schema.json` describes it.
public struct PipelineDocument: Sendable, Equatable, Codable {
  public struct Model: Sendable, Equatable, Codable {
    public var path: String
  }

  public struct Sample: Sendable, Equatable, Codable {
    public struct Source: Sendable, Equatable, Codable {
      public var files: [String]
      public var field: String?
      public var weight: Double?
    }

    public var sources: [Source]
    public var tokens: Int
    public var sequenceLength: Int
    public var seed: UInt64

    enum CodingKeys: String, CodingKey {
      case sources, tokens, seed
      case sequenceLength = "sequence_length"
    }
  }

  public struct Collect: Sendable, Equatable, Codable {
    public var sinks: Int?
    public var memory: MemorySize?
    public var untilConfident: Percentage?
    /// Rounds the weights to this format and counts scores as well.
    public var scores: PlaneFormat?

    enum CodingKeys: String, CodingKey {
      case sinks, memory, scores
      case untilConfident = "until_confident"
    }
  }

  public struct Solve: Sendable, Equatable, Codable {
    public var method: SolverRequest.Method
    public var norm: CHESS.Norm?
    public var source: MaskSource?
    public var secondCut: Double?
    public var inputCut: Double?
    public var attention: Bool?
    public var allocation: Allocation?
    public var head: Bool?
    public var sparsity: [Double]

    enum CodingKeys: String, CodingKey {
      case method, norm, source, attention, allocation, head, sparsity
      case secondCut = "second_cut"
      case inputCut = "input_cut"
    }
  }

  public struct Evaluate: Sendable, Equatable, Codable {
    public var files: [String]
    public var field: String?
    public var sequenceLength: Int
    public var tokens: Int

    enum CodingKeys: String, CodingKey {
      case files, field, tokens
      case sequenceLength = "sequence_length"
    }
  }

  public struct Export: Sendable, Equatable, Codable {
    public var method: SolverRequest.Method
    public var norm: CHESS.Norm?
    public var source: MaskSource?
    public var secondCut: Double?
    public var inputCut: Double?
    public var attention: Bool?
    public var allocation: Allocation?
    public var head: Bool?
    public var sparsity: Double
    public var weights: WeightType

    enum CodingKeys: String, CodingKey {
      case method, norm, source, attention, allocation, head, sparsity, weights
      case secondCut = "second_cut"
      case inputCut = "input_cut"
    }
  }

  public var model: Model
  public var sample: Sample
  public var collect: Collect?
  public var solve: [Solve]
  public var evaluate: Evaluate
  public var export: Export
}

extension PipelineDocument {
  /// Every method at every sparsity, in the order of the file.
  var requests: [SolverRequest] {
    get throws(SolverError) {
      var requests: [SolverRequest] = []
      for entry in solve { requests += try entry.requests }
      return requests
    }
  }

  var exported: SolverRequest {
    get throws(SolverError) {
      try SolverRequest(
        method: export.method, norm: export.norm, source: export.source, secondCut: export.secondCut,
        inputCut: export.inputCut, attention: export.attention ?? false,
        allocation: export.allocation, head: export.head ?? false, sparsity: export.sparsity)
    }
  }
}

extension PipelineDocument {
  /// The folder that relative paths start from, relative where the document's path is: what is written names files as they
  /// were given.
  public static func base(of path: String) -> String { path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./" }

  static func resolve(_ path: String, _ base: String) -> String {
    path.hasPrefix("/") ? path : (base.hasSuffix("/") ? base : base + "/") + path
  }

  /// Bytes of activations that a collection holds in memory.
  var memoryBudget: Int { collect?.memory?.bytes ?? 1_000_000_000 }

  func evaluationFiles(_ base: String) -> [String] { evaluate.files.map { Self.resolve($0, base) } }

  func textSources(_ base: String) -> [TextSource] {
    sample.sources.map { source in
      TextSource(
        patterns: source.files.map { Self.resolve($0, base) }, field: source.field ?? "text", weight: source.weight ?? 1
      )
    }
  }
}

extension PipelineDocument.Solve {
  /// The method at every sparsity, in the order of the file.
  var requests: [SolverRequest] {
    get throws(SolverError) {
      try method.checkSolvable()
      var requests: [SolverRequest] = []
      for sparsity in self.sparsity {
        requests.append(
          try SolverRequest(
            method: method, norm: norm, source: source, secondCut: secondCut, inputCut: inputCut,
            attention: attention ?? false, allocation: allocation, head: head ?? false, sparsity: sparsity))
      }
      return requests
    }
  }
}

/// A number of bytes, written as such or with KB, MB or GB (powers of 1000).
public struct MemorySize: Sendable, Equatable, Codable {
  public let bytes: Int

  public init(bytes: Int) { self.bytes = bytes }

  /// `nil` where `text` is no positive size.
  public init?(_ text: String) {
    let units = ["KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000]
    let unit = units.first { text.hasSuffix($0.key) }
    let digits = text.dropLast(unit == nil ? 0 : 2)
    let number = digits.last == " " && unit != nil ? digits.dropLast() : digits
    guard let value = Int(number), value > 0, value <= 1 << 50 / (unit?.value ?? 1) else { return nil }
    bytes = value * (unit?.value ?? 1)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let size = MemorySize(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "it is no size, such as 500MB or 2GB")
    }
    self = size
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(bytes)
  }
}
