import Checkpoints
import ThresholdSolver

/// The first file of a bundle to read: what it is, where it comes from, and every other file's digest.
/// `schemas/manifest.schema.json` describes it.
public struct BundleManifest: Sendable, Equatable, Codable {
  static let format = "gambit-bundle"
  static let formatVersion = 1

  public struct Model: Sendable, Equatable, Codable {
    public var name: String
    public var sha256: String
    public var architecture: String
    public var parameters: Int
  }

  public struct Weights: Sendable, Equatable, Codable {
    public var type: WeightType
    /// Bytes of the decompressed file.
    public var bytes: Int
  }

  /// What the bundle skips, and what that was solved from.
  public struct Sparsification: Sendable, Equatable, Codable {
    public var method: SolverRequest.Method
    public var norm: CHESS.Norm?
    public var attention: Bool
    /// The share asked for.
    public var sparsity: Double
    /// The shares dropped of the calibration text.
    public var realised: Thresholds.Shares
    public var corpusSha256: String
    public var statisticsSha256: String
  }

  public struct Golden: Sendable, Equatable, Codable {
    /// Greatest difference of logits that is taken for rounding.
    public var tolerance: Double
    /// Greatest difference between the dense logits of the source model and of these weights.
    public var sourceDifference: Double
  }

  public struct File: Sendable, Equatable, Codable {
    public var name: String
    /// In bytes.
    public var size: Int
    public var sha256: String
  }

  public struct Tool: Sendable, Equatable, Codable {
    public var name: String
    public var version: String
  }

  public var format = Self.format
  public var version = Self.formatVersion
  public var model: Model
  public var weights: Weights
  public var sparsification: Sparsification
  public var golden: Golden
  /// Every file but the manifest, by name.
  public var files: [File]
  public var tools: [Tool]
}
