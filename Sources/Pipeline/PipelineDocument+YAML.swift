import Files
import Foundation
import Yams

extension PipelineDocument {
  /// Reads a pipeline file and applies settings to it.
  ///
  /// - Parameter settings: `key.path=value` each; a number is an index into a list, the value is YAML.
  /// - Throws: ``PipelineError`` that names the file or the setting.
  public init(path: String, settings: [String] = []) throws {
    func fail(_ reason: String) -> PipelineError { .badPipeline(path: path, reason: reason) }
    self = try Shape.pipeline.read(path, settings, schema: "pipeline", failure: fail)
    if let problem { throw fail(problem) }
  }

  /// What the types cannot say.
  private var problem: String? {
    if sample.sources.isEmpty || sample.sources.contains(where: \.files.isEmpty) || evaluate.files.isEmpty {
      return "sample and evaluate: there must be sources, and each must name files"
    }
    if sample.sources.contains(where: { $0.weight.map { $0 > 0 && $0.isFinite } == false }) {
      return "sample: a source's weight must be above 0"
    }
    if sample.sequenceLength < 2 || sample.tokens < sample.sequenceLength {
      return "sample: tokens must fill a sequence, and a sequence_length must be 2 or more"
    }
    if evaluate.sequenceLength < 2 || evaluate.tokens < evaluate.sequenceLength {
      return "evaluate: tokens must fill a window, and a sequence_length must be 2 or more"
    }
    if let sinks = collect?.sinks, sinks < 0 { return "collect: sinks is negative" }
    if requestsGrades, collect?.scores == nil {
      return "collect: 'planes' is solved from scores: set scores to int8-planes or f16-planes"
    }
    do {
      try export.weights.check(holds: export.method, export.method.gradesWeights ? collect?.scores : nil)
      let requests = try requests
      if let twice = requests.indices.first(where: { requests[..<$0].contains(requests[$0]) }) {
        return
          "solve: it lists \(requests[twice].method.rawValue) at \(requests[twice].sparsity) twice with the same options"
      }
      guard try requests.contains(exported) else {
        return "export: its method, options and sparsity are not among those that 'solve' lists"
      }
    } catch {
      return "\(error)"
    }
    return nil
  }
}

extension PipelineDocument {
  private var requestsGrades: Bool { solve.contains { $0.method.gradesWeights } || export.method.gradesWeights }
}

/// Which keys a document may have, so that a misspelt one is not silently ignored.
indirect enum Shape: Sendable {
  case value
  case list(Shape)
  case object([String: Shape])
  /// The shape of the first of these keys that an object has, or else of the last.
  case variant([(key: String, Shape)])

  private static let largestFile = 1 << 20

  /// Reads a document of this shape and applies settings to it.
  ///
  /// - Parameters:
  ///   - schema: Which of schemas/ describes the document.
  ///   - failure: Makes an error of what is wrong.
  func read<Document: Decodable>(
    _ path: String, _ settings: [String], schema: String, failure: (_ reason: String) -> PipelineError
  ) throws -> Document {
    let file = try FileReader(path: path)
    guard file.count <= Self.largestFile else { throw failure("it is larger than 1 MiB") }
    let text = String(decoding: try file.read(at: 0, count: file.count), as: UTF8.self)
    do {
      guard var node = try compose(yaml: text) else { throw failure("it is empty") }
      for setting in settings { try node.apply(setting) }
      if let unknown = node.firstUnknownKey(self) {
        throw failure("it has a key '\(unknown)' that means nothing: see schemas/\(schema).schema.json")
      }
      return try YAMLDecoder(encoding: .utf8).decode(Document.self, from: serialize(node: node))
    } catch let error as YamlError {
      throw failure("it is not YAML (\(error.summary))")
    } catch let error as DecodingError {
      throw failure(error.summary)
    }
  }

  static let pipeline = Shape.object([
    "model": .object(["path": .value]),
    "sample": .object([
      "sources": .list(.object(["files": .list(.value), "field": .value, "weight": .value])),
      "tokens": .value, "sequence_length": .value, "seed": .value,
    ]),
    "collect": .object(["sinks": .value, "memory": .value, "until_confident": .value, "scores": .value]),
    "solve": .list(.object(method.merging(["sparsity": .list(.value)]) { _, own in own })),
    "evaluate": .object(["files": .list(.value), "field": .value, "tokens": .value, "sequence_length": .value]),
    "export": .object(method.merging(["sparsity": .value, "weights": .value]) { _, own in own }),
  ])

  /// What says how to solve, but for the sparsity.
  static let method: [String: Shape] = [
    "method": .value, "norm": .value, "source": .value, "second_cut": .value, "input_cut": .value, "attention": .value,
    "allocation": .value, "head": .value,
  ]
}

extension Node {
  /// The path of the first key that `shape` does not have.
  fileprivate func firstUnknownKey(_ shape: Shape) -> String? {
    switch shape {
    case .value: return nil
    case .list(let element): return sequence?.lazy.compactMap { $0.firstUnknownKey(element) }.first
    case .variant(let shapes):
      let keys = Set(mapping?.keys.compactMap(\.string) ?? [])
      return (shapes.first { keys.contains($0.key) } ?? shapes.last).flatMap { firstUnknownKey($0.1) }
    case .object(let members):
      return mapping?.lazy.compactMap { key, value in
        let name = key.string ?? "?"
        guard let member = members[name] else { return name }
        return value.firstUnknownKey(member).map { name + "." + $0 }
      }.first
    }
  }

  /// Sets what `key.path=value` says.
  fileprivate mutating func apply(_ setting: String) throws {
    guard let equals = setting.firstIndex(of: "="), equals > setting.startIndex else {
      throw PipelineError.badSetting(setting, reason: "write it as key.path=value")
    }
    let path = setting[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard let value = try compose(yaml: String(setting[setting.index(after: equals)...])) else {
      throw PipelineError.badSetting(setting, reason: "its value is empty")
    }
    guard set(path[...], value) else {
      throw PipelineError.badSetting(setting, reason: "the pipeline has no place of that name")
    }
  }

  private mutating func set(_ path: ArraySlice<String>, _ value: Node) -> Bool {
    guard let first = path.first else {
      self = value
      return true
    }
    if let index = Int(first), let count = sequence?.count {
      guard (0..<count).contains(index), var element = sequence?[index] else { return false }
      guard element.set(path.dropFirst(), value) else { return false }
      sequence?[index] = element
      return true
    }
    guard mapping != nil else { return false }
    var element = mapping?[first] ?? Node.mapping(.init([]))
    guard element.set(path.dropFirst(), value) else { return false }
    mapping?[first] = element
    return true
  }
}

extension YamlError {
  fileprivate var summary: String {
    switch self {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      "line \(mark.line): \(problem)"
    default: "\(self)".split(separator: "\n").first.map(String.init) ?? "it cannot be parsed"
    }
  }
}
