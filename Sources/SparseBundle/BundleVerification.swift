import Files
import Foundation
import Signatures

/// One thing that was checked of a bundle.
public struct BundleCheck: Sendable, Equatable, Codable {
  public var name: String
  public var ok: Bool
  public var detail: String

  public init(name: String, ok: Bool, detail: String) {
    self.name = name
    self.ok = ok
    self.detail = detail
  }

  /// Runs a check that returns its detail, or throws what is wrong.
  public init(_ name: String, _ check: () throws -> String) {
    do {
      self.init(name: name, ok: true, detail: try check())
    } catch {
      self.init(name: name, ok: false, detail: "\(error)")
    }
  }
}

/// Checks that a bundle's files are what its manifest says, without computing anything with them.
public struct BundleVerification: Sendable {
  public let path: String

  public init(path: String) { self.path = path }

  /// Checks in the order in which they can be trusted: manifest, files, layout. The bundle is `nil`
  /// where it cannot be opened.
  ///
  /// - Complexity: O(the bundle's decompressed size).
  public func run() -> (checks: [BundleCheck], bundle: ModelBundle?) {
    var checks: [BundleCheck] = []
    var manifest: BundleManifest?
    checks.append(
      BundleCheck("manifest") {
        let found = try BundleManifest(reading: path + "/" + BundleFile.manifest)
        manifest = found
        return "version \(found.version), \(found.files.count) files"
      })
    guard let manifest else { return (checks, nil) }
    checks.append(BundleCheck("files") { try checkNames(manifest) })
    for file in manifest.files { checks.append(BundleCheck("hash of \(file.name)") { try check(file) }) }

    var bundle: ModelBundle?
    checks.append(
      BundleCheck("layout") {
        let opened = try ModelBundle(path: path)
        try checkAgreement(opened)
        bundle = opened
        let budgets = manifest.sparsification.budgets.map { ", \(1 + $0.count) budgets" } ?? ""
        return
          "\(opened.configuration.layerCount) layers, \(opened.weights.layout.entries.count) tensors in \(opened.weights.type.rawValue)"
          + budgets
      })
    guard let bundle else { return (checks, nil) }
    checks.append(
      BundleCheck("weights") {
        var bytes = 0
        try bundle.weights.unpackAll { bytes += $0 }
        return "\(bytes) bytes unpacked"
      })
    return (checks, bundle)
  }

  private func checkNames(_ manifest: BundleManifest) throws -> String {
    let found = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    let expected = (manifest.files.map(\.name) + [BundleFile.manifest]).sorted()
    for name in expected where !found.contains(name) {
      throw BundleError.malformed(file: name, reason: "it is missing")
    }
    for name in found where !expected.contains(name) && name != FolderSignature.fileName {
      throw BundleError.malformed(file: name, reason: "the manifest does not list it: remove it")
    }
    let unchecked = found.contains(FolderSignature.fileName) ? "; a signature is checked by --trust" : ""
    return "\(expected.count), as listed" + unchecked
  }

  private func check(_ file: BundleManifest.File) throws -> String {
    let size = try FileReader(path: path + "/" + file.name).count
    guard size == file.size else {
      throw BundleError.malformed(file: file.name, reason: "it has \(size) bytes instead of \(file.size)")
    }
    let hash = try sha256(ofFile: path + "/" + file.name)
    guard hash == file.sha256 else {
      throw BundleError.malformed(
        file: file.name, reason: "its SHA-256 is \(hash.prefix(12))… instead of \(file.sha256.prefix(12))…")
    }
    return "\(size) bytes"
  }

  /// What the manifest repeats must be what the parts say, and one layout of weights must serve all budgets.
  private func checkAgreement(_ bundle: ModelBundle) throws {
    let (manifest, thresholds) = (bundle.manifest, bundle.thresholds)
    func require(_ holds: Bool, _ what: String) throws {
      guard holds else {
        throw BundleError.malformed(file: BundleFile.manifest, reason: "its \(what) is not that of the other files")
      }
    }
    try require(manifest.weights.bytes == bundle.weights.unpackedSize, "size of weights")
    try require(manifest.model.sha256 == thresholds.modelHash, "model")
    try require(manifest.model.architecture == bundle.configuration.architecture.rawValue, "architecture")
    try require(manifest.model.parameters == bundle.configuration.parameterCount, "number of parameters")
    let others = try manifest.sparsification.otherSparsities.map {
      try ModelBundle(path: path, sparsity: $0).thresholds
    }
    let ladder = try ThresholdLadder(thresholds, others: others)
    try require(manifest.sparsification == .init(ladder), "sparsification")
  }
}
