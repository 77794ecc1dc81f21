import Crypto
import Files
import Foundation

/// Unpacked weights of bundles that were opened, so that the next opening maps a file instead of unpacking again.
///
///     let weights = try WeightCache.standard().weights(of: bundle)
///
/// Each entry is a file named after the SHA-256 of the bundle's packed weights, beside a record of its own hash.
/// Entries appear whole or not at all; those that were not used for longest make room for new ones. A file whose
/// size or time of change is not the recorded one is hashed again before it is used.
public struct WeightCache: Sendable {
  /// The folder; `nil` where nothing is to be kept: weights are then unpacked into memory.
  public let directory: String?
  /// Greatest size of all entries together, in bytes.
  public let limit: Int

  public static let standardLimit = 20_000_000_000

  public init(directory: String?, limit: Int = standardLimit) {
    self.directory = directory
    self.limit = limit
  }

  /// The cache that the environment asks for, in ``CacheFolder``; `GAMBIT_CACHE_LIMIT` is its size in bytes.
  public static func standard(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> WeightCache {
    let limit = environment["GAMBIT_CACHE_LIMIT"].flatMap(Int.init) ?? standardLimit
    return WeightCache(directory: CacheFolder.standard(environment), limit: limit)
  }

  /// The bundle's weights, unpacked now where they were not before.
  ///
  /// - Parameter progress: Called with the share that is unpacked; not at all where an entry is found.
  /// - Throws: ``BundleError`` where the packed weights are not what the manifest says, `ZstandardError`, `FileError`.
  public func weights(of bundle: ModelBundle, progress: (_ share: Double) -> Void = { _ in }) throws -> UnpackedWeights
  {
    guard let directory, bundle.weights.unpackedSize <= limit else {
      return try UnpackedWeights(holding: bundle.weights)
    }
    let entry = Entry(directory: directory, key: bundle.packedWeights.sha256)
    if let weights = try? reuse(entry, bundle) { return weights }
    entry.remove()
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try makeRoom(for: bundle.weights.unpackedSize, in: directory)
    try unpack(bundle, to: entry, progress)
    return try UnpackedWeights(mapping: entry.path, of: bundle.weights)
  }

  /// Whether the bundle's weights were unpacked before. Complexity: O(1).
  public func holds(_ bundle: ModelBundle) throws -> Bool {
    guard let directory else { return false }
    return (try? Entry(directory: directory, key: bundle.packedWeights.sha256).isIntact()) ?? false
  }

  private func reuse(_ entry: Entry, _ bundle: ModelBundle) throws -> UnpackedWeights? {
    guard try entry.isIntact() else { return nil }
    let weights = try UnpackedWeights(mapping: entry.path, of: bundle.weights)
    entry.touch()
    return weights
  }

  private func unpack(_ bundle: ModelBundle, to entry: Entry, _ progress: (Double) -> Void) throws {
    let packed = bundle.packedWeights
    guard try sha256(ofFile: bundle.path + "/" + packed.name) == packed.sha256 else {
      throw BundleError.malformed(file: packed.name, reason: "its SHA-256 is not the manifest's: get the bundle again")
    }
    var hash = SHA256()
    try writeAtomically(to: entry.path) { path in
      let file = try FileWriter(creating: path)
      try bundle.weights.forEachPiece { piece in
        hash.update(data: piece)
        try file.write(piece)
        progress(Double(file.count) / Double(max(bundle.weights.unpackedSize, 1)))
      }
    }
    try entry.record(model: bundle.manifest.model.name, type: bundle.manifest.weights.type, hash.finalize().hexadecimal)
  }

  /// Removes what was not used for longest until `bytes` more fit.
  private func makeRoom(for bytes: Int, in directory: String) throws {
    var entries = try entries().sorted { $0.lastUsed < $1.lastUsed }
    while entries.reduce(bytes, { $0 + $1.bytes }) > limit, !entries.isEmpty { entries.removeFirst().remove() }
  }
}

extension ModelBundle {
  /// The manifest's entry of the packed weights: a manifest that was read has one.
  fileprivate var packedWeights: BundleManifest.File {
    manifest.files.first { $0.name == BundleFile.weights } ?? .init(name: BundleFile.weights, size: 0, sha256: "")
  }
}
