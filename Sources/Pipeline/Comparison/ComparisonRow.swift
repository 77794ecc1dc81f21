import Evaluation
import Foundation
import SparseBundle
import ThresholdSolver

/// One row of a comparison: what was measured, of what, and on what.
public struct ComparisonRow: Sendable, Codable, Equatable {
  public enum Kind: String, Sendable, Codable {
    /// The model itself, with its own or with rounded weights.
    case dense
    case method
    case bundle
    /// Another checkpoint, dense.
    case model
  }

  /// What the figures come of: whoever measures the same gets the same.
  public struct MeasuredOn: Sendable, Codable, Equatable {
    public var modelSha256: String
    /// Digest of the windows' token ids.
    public var tokensSha256: String
    public var windows: Int
    public var sequenceLength: Int
    /// Digest of the thresholds as a file.
    public var thresholdsSha256: String?
    /// Digest of the bundle's manifest or of the other checkpoint.
    public var weightsSha256: String?
    public var toolVersion: String
  }

  /// The method's word and what is not its default; what a bundle or checkpoint is called.
  public var label: String
  public var kind: Kind
  /// The type of the weights, or how the checkpoint stores them.
  public var weights: String
  public var request: SolverRequest?
  /// Shares dropped of this text, averaged over layers; `nil` where every channel is kept.
  public var realised: Thresholds.Shares?
  /// The same, by layer; empty where every channel is kept.
  public var layers: [Thresholds.Shares]
  public var activatedParameters: Double
  public var activatedShare: Double
  /// Of weights.
  public var bytesPerToken: Double
  /// Predicted tokens.
  public var tokens: Int
  public var perplexity: Double
  public var nll: Double
  public var nllStderr: Double?
  /// `nil` of the dense model that it is measured from.
  public var kl: Double?
  public var klStderr: Double?
  public var top1Agreement: Double?
  /// The baseline's KL at these bytes, between its measured points; `nil` beyond them.
  public var baselineKl: Double?
  /// `nil` where no task was asked for.
  public var tasks: Tasks?
  public var measuredOn: MeasuredOn

  /// Rows of one curve differ in their budget alone.
  var curve: String { kind == .model ? ComparisonRow.models : label }

  /// What weights were rounded to: both planes together are the unsplit weights, and nothing else.
  var roundedWeights: String {
    WeightType(rawValue: weights)?.planes?.unsplit.rawValue ?? weights
  }

  /// The name of the curve of all checkpoints.
  static let models = "models"
}
