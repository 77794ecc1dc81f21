import Files
import Foundation
import SparseBundle

/// A hand-off that is a folder: it appears whole or not at all, and carries a mark by which a later one of the same format
/// knows that it may take its place.
struct HandoffFolder {
  /// The file that says which bundle the folder was made of.
  static let mark = "gambit_handoff.json"
  /// What ``ModelBundle/writeHuggingFaceFiles(to:_:sparseModule:)`` writes.
  private static let huggingFaceFiles: Set = [
    BundleFile.configuration, "generation_config.json", BundleFile.tokenizer, BundleFile.tokenizerConfiguration,
  ]

  let format: HandoffFormat
  /// Those of the format alone.
  let files: Set<String>

  /// - Parameter body: Writes all files but the mark.
  /// - Throws: ``HandoffError/notReplaceable(path:)`` where something else stands at `path`, or what `body` throws.
  func write(_ bundle: ModelBundle, to path: String, _ body: (_ folder: String) throws -> Void) throws {
    try requireReplaceable(path)
    try writeDirectoryAtomically(at: path) { folder in
      try body(folder)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      encoder.keyEncodingStrategy = .convertToSnakeCase
      try writeAtomically(encoder.encode(Mark(bundle, format)), to: folder + "/" + Self.mark)
    }
  }

  /// Nothing of anybody else's may be in it.
  private func requireReplaceable(_ path: String) throws(HandoffError) {
    guard FileManager.default.fileExists(atPath: path) else { return }
    guard let entries = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw .notReplaceable(path: path)
    }
    let foreign = Set(entries).subtracting(files).subtracting(Self.huggingFaceFiles).subtracting([Self.mark])
    guard entries.isEmpty || (foreign.isEmpty && mark(in: path)?.format == format) else {
      throw .notReplaceable(path: path)
    }
  }

  private func mark(in path: String) -> Mark? {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return (try? Data(contentsOf: URL(filePath: path + "/" + Self.mark))).flatMap {
      try? decoder.decode(Mark.self, from: $0)
    }
  }

  private struct Mark: Codable {
    var format: HandoffFormat
    var model: String
    /// The bundle's `manifest_sha256`.
    var bundleSha256: String
    var sparsity: Double

    init(_ bundle: ModelBundle, _ format: HandoffFormat) {
      self.format = format
      model = bundle.manifest.model.name
      bundleSha256 = bundle.manifest.manifestSha256
      sparsity = bundle.thresholds.request.sparsity
    }
  }
}
