import Checkpoints
import SparseBundle
import ThresholdSolver
import Tokenizers

/// What an evaluation measures, and what it compares it with: a model, a bundle, or a bundle beside the model that it
/// was made from.
public struct MeasuredSource: Sendable {
  /// Whose weights the dense model has.
  public enum DenseWeights: String, Sendable, Codable {
    /// The model's, as they are in its files.
    case model
    /// The bundle's, rounded as the bundle stores them.
    case bundle
  }

  /// What messages call it: a path.
  public let name: String
  public let reference: any WeightSource
  public let denseWeights: DenseWeights
  /// What is measured runs with these.
  public let weights: any WeightSource
  /// How `weights` are stored; float32 where there is no bundle.
  public let type: WeightType
  /// `nil` where every channel is kept.
  public let thresholds: Thresholds?
  public let tokenizer: Tokenizer

  public var configuration: ModelConfiguration { weights.configuration }

  /// - Parameters:
  ///   - model: With a bundle, the dense model; without one, what is measured.
  ///   - thresholds: A file to take thresholds from, in place of a bundle's own.
  ///   - sparsity: Which of the bundle's budgets; its default where it is `nil`.
  /// - Throws: ``PipelineError`` where neither a model nor a bundle is given, or bundle or thresholds were made with
  ///   another model; what the readers throw.
  public init(model: String?, bundle: String?, thresholds: String? = nil, sparsity: Double? = nil) throws {
    let given = try thresholds.map { try Thresholds(SafetensorsFile(path: $0)) }
    let checkpoint = try model.map { try Checkpoint.open($0) }
    var hash: String?
    if let bundle {
      let opened = try ModelBundle(path: bundle, sparsity: sparsity)
      hash = opened.manifest.model.sha256
      if let checkpoint, try checkpoint.hash != hash {
        throw PipelineError.otherModel(file: bundle, model: checkpoint.path)
      }
      name = bundle
      reference = checkpoint?.weights ?? opened.weights
      denseWeights = checkpoint == nil ? .bundle : .model
      weights = opened.weights
      type = opened.weights.type
      if let given, given.planes != type.planes {
        throw BundleError.unlikeWeights(given.request.method, given.planes, type)
      }
      self.thresholds = given ?? opened.thresholds
      tokenizer = try Tokenizer(opened.tokenizer)
    } else if let checkpoint {
      if thresholds != nil { hash = try checkpoint.hash }
      name = checkpoint.path
      reference = checkpoint.weights
      denseWeights = .model
      // What grades weights does so in planes, which no checkpoint has.
      type = given?.planes.map(WeightType.init) ?? .f32
      weights = type == .f32 ? checkpoint.weights : RoundedWeights(checkpoint.weights, type)
      self.thresholds = given
      tokenizer = try Tokenizer(checkpoint.tokenizer)
    } else {
      throw PipelineError.badSetting("model", reason: "there is neither a model nor a bundle to measure: give one")
    }
    try self.thresholds?.check(weights.configuration)
    if let thresholds, let given, given.modelHash != hash {
      throw PipelineError.otherModel(file: thresholds, model: name)
    }
  }

  /// The bytes that a token reads when layers drop `shares`.
  public func bytes(_ shares: [Thresholds.Shares]) -> TokenBytes {
    TokenBytes(configuration, type, shares: shares, thresholds)
  }
}
