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
    /// Mean KL(source ‖ these weights) of a token, without sparsity, in nats.
    public var kl: Double
    /// How a runtime should multiply: with activations as they are, or rounded to 8 bits.
    public var activations: Activations
    /// Mean KL that rounding activations adds, of a token in nats; `nil` for types that are not quantised.
    public var activationRoundingKl: Double?
    /// The share of the weights whose stored value is exactly the source's.
    public var exactShare: Double
    /// The text of both KL; `nil` where nothing had to be measured, since nothing was rounded.
    public var measuredOn: Text?

    public enum Activations: String, Sendable, Codable {
      case exact
      case int8
    }

    public struct Text: Sendable, Equatable, Codable {
      /// Its SHA-256, or `built-in`.
      public var text: String
      /// Tokens predicted.
      public var tokens: Int
    }
  }

  /// What the bundle skips, and what that was solved from.
  public struct Sparsification: Sendable, Equatable, Codable {
    public var method: SolverRequest.Method
    public var norm: CHESS.Norm?
    /// Which factor decides: the gate where it is absent.
    public var source: MaskSource?
    /// How far the shares of the two cuts of the FFN lie from the sparsity; absent where there is one.
    public var secondCut: Double?
    /// The share of the FFN's inputs that deciding rows leave out; absent where they read them all.
    public var inputCut: Double?
    public var attention: Bool
    /// How bytes saved are divided between the FFN and attention; absent where each drops the same share.
    public var allocation: Allocation?
    /// The share asked for.
    public var sparsity: Double
    /// The shares dropped of the calibration text.
    public var realised: Thresholds.Shares
    public var corpusSha256: String
    public var statisticsSha256: String
    /// How prompts are read.
    public var prefill = Prefill.dense

    public enum Prefill: String, Sendable, Codable {
      case dense
    }
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

extension BundleManifest.Weights {
  init(type: WeightType, bytes: Int, exactShare: Double, _ loss: RoundingLoss?) {
    self.type = type
    self.bytes = bytes
    self.exactShare = exactShare
    kl = loss?.kl ?? 0
    activationRoundingKl = loss?.activationRoundingKL
    activations = loss?.allowsRoundedActivations == true ? .int8 : .exact
    measuredOn = loss.map { .init(text: $0.text, tokens: $0.tokens) }
  }

  /// What is wrong with it in itself.
  var problem: String? {
    guard kl >= 0, kl.isFinite, (0...1).contains(exactShare) else { return "loss or share of exact weights is no such" }
    guard type.isQuantized == (activationRoundingKl != nil),
      activationRoundingKl.map({ $0 >= 0 && $0.isFinite }) ?? true
    else { return "loss of rounded activations is missing, or not that of a quantised type" }
    guard activations == .exact || activationRoundingKl.map({ $0 < kl / 10 }) == true else {
      return "activations are rounded at a loss that is not small beside that of the weights"
    }
    guard type == .f32 || measuredOn.map({ $0.tokens > 0 }) == true else { return "loss was measured on no text" }
    return nil
  }
}
