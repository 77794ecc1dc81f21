import Checkpoints
import Foundation
import ThresholdSolver

/// The first file of a bundle to read: what it is, where it comes from, and every other file's digest.
/// `schemas/manifest.schema.json` describes it.
public struct BundleManifest: Sendable, Equatable, Codable {
  static let format = "gambit-bundle"
  /// Of a bundle with one budget, and of one with several.
  static let formatVersion = 1
  static let ladderVersion = 2

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
    /// Mean KL that rounding activations adds, of a token in nats; `nil` where they may not be rounded.
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
    /// The share of other rows dropped at which each channel chose its source; absent where that is the bundle's own.
    public var sourceShare: Double?
    /// How far the shares of the two cuts of the FFN lie from the sparsity; absent where there is one.
    public var secondCut: Double?
    /// The share of the FFN's inputs that deciding rows leave out; absent where they read them all.
    public var inputCut: Double?
    public var attention: Bool
    /// How bytes saved are divided between the FFN and attention; absent where each drops the same share.
    public var allocation: Allocation?
    /// Whether the output head is read on demand; absent where it is read whole.
    public var head: Bool?
    /// The share asked for.
    public var sparsity: Double
    /// The shares dropped of the calibration text.
    public var realised: Thresholds.Shares
    public var corpusSha256: String
    public var statisticsSha256: String
    /// What the allocation was measured on; absent where nothing was.
    public var allocationMeasuredOn: ProbedText?
    /// What the output head's margin was measured on; absent where it is read whole.
    public var headMeasuredOn: ProbedText?
    /// How prompts are read.
    public var prefill = Prefill.dense
    /// What a runtime may be asked for instead, each in files of its own; absent where there is one budget.
    public var budgets: [Budget]?

    public enum Prefill: String, Sendable, Codable {
      case dense
    }
  }

  /// Another share to drop than a bundle's default, by the same method.
  public struct Budget: Sendable, Equatable, Codable {
    public var sparsity: Double
    public var secondCut: Double?
    public var inputCut: Double?
    /// The shares dropped of the calibration text.
    public var realised: Thresholds.Shares
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
  public var version: Int
  public var model: Model
  public var weights: Weights
  public var sparsification: Sparsification
  public var quality: BundleQuality
  public var golden: Golden
  /// Every file but the manifest, by name.
  public var files: [File]
  public var tools: [Tool]
  /// Of the manifest itself, with zeros in this place.
  public var manifestSha256 = ManifestSeal.empty
}

extension BundleManifest {
  /// The same manifest always gives the same bytes.
  func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try encoder.encode(self)
  }
}

extension BundleManifest.Sparsification {
  init(_ ladder: ThresholdLadder) {
    let (thresholds, request) = (ladder.first, ladder.first.request)
    self.init(
      method: request.method, norm: request.norm, source: request.source, sourceShare: request.sourceShare,
      secondCut: request.secondCut, inputCut: request.inputCut, attention: request.attention,
      allocation: request.allocation, head: request.head ? true : nil, sparsity: request.sparsity,
      realised: thresholds.realised,
      corpusSha256: thresholds.corpusHash, statisticsSha256: thresholds.statisticsHash,
      allocationMeasuredOn: thresholds.allocationMeasuredOn, headMeasuredOn: thresholds.headMeasuredOn)
    guard !ladder.others.isEmpty else { return }
    budgets = ladder.others.map { other in
      .init(
        sparsity: other.request.sparsity, secondCut: other.request.secondCut, inputCut: other.request.inputCut,
        realised: other.realised)
    }
  }

  /// The sparsities to choose from, the default first.
  public var sparsities: [Double] { [sparsity] + otherSparsities }

  var otherSparsities: [Double] { (budgets ?? []).map(\.sparsity) }

  /// The sparsity of another budget that is asked for; `nil` for the default.
  ///
  /// - Throws: ``BundleError/noSuchBudget(asked:offered:)``.
  public func otherBudget(_ asked: Double?) throws(BundleError) -> Double? {
    guard let asked, asked != sparsity else { return nil }
    guard otherSparsities.contains(asked) else { throw .noSuchBudget(asked: asked, offered: sparsities) }
    return asked
  }

  /// What is wrong with the budgets in themselves.
  var problem: String? {
    let all = sparsities
    guard all.allSatisfy({ (0...1).contains($0) }), Set(all).count == all.count, budgets?.isEmpty != true else {
      return "sparsities are not shares that differ"
    }
    guard (method == .chess) == (norm != nil) else { return "norm is missing, or its method has none" }
    return nil
  }
}

extension BundleManifest.Weights {
  /// - Parameter bundleKL: What the bundle loses at its default budget.
  init(type: WeightType, bytes: Int, exactShare: Double, _ loss: RoundingLoss?, bundleKL: Double) {
    self.type = type
    self.bytes = bytes
    self.exactShare = exactShare
    kl = loss?.kl ?? 0
    activationRoundingKl = loss?.activationRoundingKL
    activations = loss?.allowsRoundedActivations(beside: bundleKL) == true ? .int8 : .exact
    measuredOn = loss.map { .init(text: $0.text, tokens: $0.tokens) }
  }

  /// What is wrong with it in itself, or beside what the bundle loses at its default budget.
  func problem(bundleKL: Double) -> String? {
    guard kl >= 0, kl.isFinite, (0...1).contains(exactShare) else { return "loss or share of exact weights is no such" }
    guard type.allowsRoundedActivations == (activationRoundingKl != nil),
      activationRoundingKl.map({ $0 >= 0 && $0.isFinite }) ?? true
    else { return "loss of rounded activations is missing, or the type has none" }
    guard activations == .exact || activationRoundingKl.map({ $0 < bundleKL / 10 }) == true else {
      return "activations are rounded at a loss that is not small beside that of the bundle"
    }
    guard type == .f32 || measuredOn.map({ $0.tokens > 0 }) == true else { return "loss was measured on no text" }
    return nil
  }
}
