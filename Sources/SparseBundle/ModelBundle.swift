import Checkpoints
import Files
import Foundation
import ThresholdSolver
import Tokenizers
import Zstandard

/// A bundle on disk, at one of its budgets. Opening reads everything but the weights and the golden vectors, and checks
/// that the parts fit each other; whether the files are what the manifest says is for ``BundleVerification`` to find out.
public struct ModelBundle: Sendable {
  public let path: String
  public let manifest: BundleManifest
  public let configuration: ModelConfiguration
  /// Those of the budget.
  public let thresholds: Thresholds
  public let weights: BundleWeights
  private let goldenFile: String

  /// - Parameter sparsity: Which budget; the bundle's default where it is `nil`.
  /// - Throws: ``BundleError``, or what the reader of the part that is damaged throws.
  public init(path: String, sparsity: Double? = nil) throws {
    self.path = path
    manifest = try BundleManifest(reading: path + "/" + BundleFile.manifest)
    let other = try manifest.sparsification.otherBudget(sparsity)
    goldenFile = BundleFile.golden(at: other)
    configuration = try ModelConfiguration(huggingFaceConfiguration: path + "/" + BundleFile.configuration)
    thresholds = try Thresholds(SafetensorsFile(path: path + "/" + BundleFile.thresholds(at: other)))
    try manifest.weights.type.check(holds: thresholds)
    try thresholds.check(configuration)
    weights = try BundleWeights(
      path: path + "/" + BundleFile.weights, configuration, manifest.weights.type,
      FactorRows(thresholds))
  }

  public var tokenizer: TokenizerModel {
    get throws {
      let json = try FileReader(path: path + "/" + BundleFile.tokenizer)
      let settings = try FileReader(path: path + "/" + BundleFile.tokenizerConfiguration)
      return try TokenizerModel(
        json: Data(json.read(at: 0, count: json.count)),
        configuration: Data(settings.read(at: 0, count: settings.count)))
    }
  }

  /// Of the budget.
  public var golden: GoldenVectors {
    get throws {
      let golden = try GoldenVectors(SafetensorsFile(path: path + "/" + goldenFile), configuration)
      let fits = golden.texts.allSatisfy { text in
        (text.keptHead != nil) == (thresholds.headMargin != nil)
          && text.kept.allSatisfy { layers in zip(layers, thresholds.layers).allSatisfy { $0.isDecided(by: $1) } }
      }
      guard fits else {
        throw BundleError.malformed(
          file: goldenFile, reason: "it does not record decisions exactly where thresholds decide")
      }
      return golden
    }
  }
}

extension ModelBundle {
  /// Bytes of all its files.
  public var size: Int {
    get throws { try manifest.files.reduce(FileReader(path: path + "/" + BundleFile.manifest).count) { $0 + $1.size } }
  }
}
