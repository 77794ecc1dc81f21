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

extension BundleManifest {
  /// Reads a manifest and checks what it says of itself.
  ///
  /// - Throws: `FileError`, or ``BundleError/malformed(file:reason:)``.
  public init(reading path: String) throws {
    let file = try FileReader(path: path)
    func fail(_ reason: String) -> BundleError { .malformed(file: BundleFile.manifest, reason: reason) }
    guard file.count <= 1 << 20 else { throw fail("it is larger than 1 MiB") }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let bytes = Data(try file.read(at: 0, count: file.count))
    do { self = try decoder.decode(Self.self, from: bytes) } catch let error as DecodingError {
      throw fail("it does not follow the manifest's schema (\(error.summary))")
    }
    guard ManifestSeal.isIntact(bytes, stated: manifestSha256) else {
      throw fail("it is not what it was when its own digest was made")
    }
    guard format == Self.format else { throw fail("its format is '\(format)', not '\(Self.format)'") }
    guard [Self.formatVersion, Self.ladderVersion].contains(version) else {
      throw fail(
        "it has version \(version), but this program reads versions \(Self.formatVersion) and \(Self.ladderVersion)")
    }
    guard (version == Self.ladderVersion) == (sparsification.budgets != nil) else {
      throw fail("it has version \(version), but not the budgets of that version")
    }
    if let problem = sparsification.problem { throw fail("its \(problem)") }
    let listed = BundleFile.listed(otherBudgets: sparsification.otherSparsities)
    guard files.map(\.name) == listed else {
      throw fail("it does not list exactly \(listed.joined(separator: ", "))")
    }
    if let problem = quality.problem { throw fail("its \(problem)") }
    guard quality.budgets.map(\.sparsity) == sparsification.sparsities else {
      throw fail("its quality is not that of its budgets")
    }
    if let problem = weights.problem(bundleKL: quality.budgets[0].kl) { throw fail("of its weights the \(problem)") }
    guard golden.tolerance >= 0, golden.tolerance <= 0.01, golden.sourceDifference.isFinite else {
      throw fail("its tolerance of golden vectors is not between 0 and 0.01")
    }
  }
}

extension ModelBundle {
  /// Bytes of all its files.
  public var size: Int {
    get throws { try manifest.files.reduce(FileReader(path: path + "/" + BundleFile.manifest).count) { $0 + $1.size } }
  }
}
