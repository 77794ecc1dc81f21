import SparseBundle
import ThresholdSolver

/// What a comparison file says. `schemas/compare.schema.json` describes it.
public struct ComparisonDocument: Sendable, Equatable, Decodable {
  /// One entry of `rows`; a method is a row at each of its sparsities.
  public enum Entry: Sendable, Equatable {
    /// A method, on the model's weights as a bundle of that type holds them.
    case method(PipelineDocument.Solve, WeightType)
    /// The model itself, dense, as a bundle of that type holds it.
    case weights(WeightType)
    /// A bundle as it is, and what to call it.
    case bundle(String, name: String?)
    /// Another checkpoint of the same shape, and what to call it. `bytesPerToken` stands in for what its files have.
    case checkpoint(String, name: String?, bytesPerToken: Double?)
  }

  /// Multiple-choice tasks that every row answers.
  public struct Tasks: Sendable, Equatable, Decodable {
    public var folder: String
    /// Questions of each at most, the first ones.
    public var limit: Int?
  }

  /// The dense model, which KL is measured from.
  public var model: PipelineDocument.Model
  /// What thresholds are solved from; needed where there are methods.
  public var statistics: String?
  /// Token sequences on which allocations other than `uniform` and the output head's margin are measured; a text that is
  /// part of the program unless given.
  public var sample: String?
  public var evaluate: PipelineDocument.Evaluate
  public var tasks: Tasks?
  /// The curve that rows are compared with at equal bytes: a method's label, or `models` for all checkpoints
  /// together; the first method's unless given.
  public var baseline: String?
  public var rows: [Entry]
}

extension ComparisonDocument.Entry: Decodable {
  private enum CodingKeys: String, CodingKey {
    case method, weights, bundle, model, name
    case bytesPerToken = "bytes_per_token"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let name = try container.decodeIfPresent(String.self, forKey: .name)
    if container.contains(.method) {
      self = .method(
        try PipelineDocument.Solve(from: decoder),
        try container.decodeIfPresent(WeightType.self, forKey: .weights) ?? .f32)
    } else if let bundle = try container.decodeIfPresent(String.self, forKey: .bundle) {
      self = .bundle(bundle, name: name)
    } else if let model = try container.decodeIfPresent(String.self, forKey: .model) {
      self = .checkpoint(
        model, name: name, bytesPerToken: try container.decodeIfPresent(Double.self, forKey: .bytesPerToken))
    } else {
      self = .weights(try container.decode(WeightType.self, forKey: .weights))
    }
  }
}

extension ComparisonDocument {
  /// Reads a comparison file and applies settings to it.
  ///
  /// - Parameter settings: `key.path=value` each; a number is an index into a list, the value is YAML.
  /// - Throws: ``PipelineError`` that names the file or the setting.
  public init(path: String, settings: [String] = []) throws {
    func fail(_ reason: String) -> PipelineError { .badComparison(path: path, reason: reason) }
    self = try Shape.comparison.read(path, settings, schema: "compare", failure: fail)
    if let problem { throw fail(problem) }
  }

  /// What the types cannot say.
  private var problem: String? {
    if evaluate.files.isEmpty { return "evaluate: it must name files" }
    if evaluate.sequenceLength < 2 || evaluate.tokens < evaluate.sequenceLength {
      return "evaluate: tokens must fill a window, and a sequence_length must be 2 or more"
    }
    if let limit = tasks?.limit, limit < 1 { return "tasks: limit must be 1 or more" }
    guard !rows.isEmpty else { return "rows: there is nothing to compare" }
    for case .method(let entry, let type) in rows {
      if statistics == nil { return "statistics: methods need the file that 'gambit collect' wrote" }
      do { _ = try entry.requests } catch { return "\(error)" }
      if type.isInPlanes, !entry.method.gradesWeights {
        return "rows: \(BundleError.unlikeWeights(entry.method, nil, type))"
      }
    }
    return nil
  }
}

extension Shape {
  fileprivate static let comparison = Shape.object([
    "model": .object(["path": .value]), "statistics": .value, "sample": .value, "baseline": .value,
    "tasks": .object(["folder": .value, "limit": .value]),
    "evaluate": .object(["files": .list(.value), "field": .value, "tokens": .value, "sequence_length": .value]),
    "rows": .list(
      .variant([
        ("method", .object(method.merging(["sparsity": .list(.value), "weights": .value]) { _, own in own })),
        ("bundle", .object(["bundle": .value, "name": .value])),
        ("model", .object(["model": .value, "name": .value, "bytes_per_token": .value])),
        ("weights", .object(["weights": .value])),
      ])),
  ])
}
