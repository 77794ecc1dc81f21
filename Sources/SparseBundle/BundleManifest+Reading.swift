import Files
import Foundation

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
    guard let meant = try? encoded() else { throw fail("it has a number that is not finite") }
    if let problem = try ManifestKeys.problem(bytes, meant: meant) { throw fail("its \(problem)") }
    guard ManifestSeal.isIntact(bytes, stated: manifestSha256) else {
      throw fail("it is not what it was when its own digest was made")
    }
    if let problem = formatProblem ?? contentProblem { throw fail(problem) }
  }

  private var formatProblem: String? {
    if format != Self.format { return "its format is '\(format)', not '\(Self.format)'" }
    if ![Self.formatVersion, Self.ladderVersion].contains(version) {
      return
        "it has version \(version), but this program reads versions \(Self.formatVersion) and \(Self.ladderVersion)"
    }
    if (version == Self.ladderVersion) != (sparsification.budgets != nil) {
      return "it has version \(version), but not the budgets of that version"
    }
    return nil
  }

  private var contentProblem: String? {
    if let problem = sparsification.problem { return "its \(problem)" }
    let listed = BundleFile.listed(otherBudgets: sparsification.otherSparsities)
    if files.map(\.name) != listed { return "it does not list exactly \(listed.joined(separator: ", "))" }
    let digests = [model.sha256, sparsification.corpusSha256, sparsification.statisticsSha256] + files.map(\.sha256)
    if !digests.allSatisfy(Self.isDigest) { return "it has a digest that is no SHA-256" }
    if model.parameters < 1 || weights.bytes < 1 || files.contains(where: { $0.size < 0 }) {
      return "it has a size that is negative"
    }
    if let problem = quality.problem { return "its \(problem)" }
    if quality.budgets.map(\.sparsity) != sparsification.sparsities { return "its quality is not that of its budgets" }
    if let problem = weights.problem(bundleKL: quality.budgets[0].kl) { return "of its weights the \(problem)" }
    if !(0...0.01).contains(golden.tolerance) || !golden.sourceDifference.isFinite {
      return "its tolerance of golden vectors is not between 0 and 0.01"
    }
    return nil
  }

  private static func isDigest(_ text: String) -> Bool {
    text.utf8.count == 64 && text.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
  }
}
