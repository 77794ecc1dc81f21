import Crypto
import Files
import Foundation

/// Remembers what each stage of a run was made from, so that a second run does nothing that is done.
///
/// A stage is up to date while the digest of its settings and inputs is the recorded one, and its
/// outputs have the recorded digests: a damaged or foreign file is made anew.
struct StageCache {
  let folder: String

  private struct Record: Codable, Equatable {
    var fingerprint: String
    var outputs: [String: String]  // digests by path within the run's folder
  }

  /// Digest of everything that a stage's outputs depend on.
  static func fingerprint(_ parts: [String]) -> String {
    var hash = SHA256()
    for part in [Gambit.version] + parts {
      // Lengths first, so that no two lists of parts read alike.
      hash.update(data: Data("\(part.utf8.count):\(part)".utf8))
    }
    return hash.finalize().hexadecimal
  }

  func isCurrent(_ stage: String, _ fingerprint: String) -> Bool {
    guard let record = record(of: stage), record.fingerprint == fingerprint else { return false }
    return record.outputs.allSatisfy { (try? digest($0.key)) == $0.value }
  }

  /// Whether the stage made something of this before, whatever became of it.
  func wasMade(_ stage: String, _ fingerprint: String) -> Bool { record(of: stage)?.fingerprint == fingerprint }

  /// Whether a file is as the stage left it, whatever it was made from.
  func isAsLeft(_ output: String, by stage: String) -> Bool {
    record(of: stage)?.outputs[output].map { $0 == (try? digest(output)) } ?? false
  }

  private func record(of stage: String) -> Record? {
    (try? Data(contentsOf: URL(filePath: path(stage)))).flatMap { try? JSONDecoder().decode(Record.self, from: $0) }
  }

  /// Records that a stage has made its outputs.
  func store(_ stage: String, _ fingerprint: String, outputs: [String]) throws {
    try FileManager.default.createDirectory(atPath: folder + "/.stages", withIntermediateDirectories: true)
    let record = Record(
      fingerprint: fingerprint, outputs: Dictionary(uniqueKeysWithValues: try outputs.map { ($0, try digest($0)) }))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    try writeAtomically(encoder.encode(record), to: path(stage))
  }

  private func path(_ stage: String) -> String { "\(folder)/.stages/\(stage).json" }

  private func digest(_ output: String) throws -> String { try sha256(ofFile: "\(folder)/\(output)") }
}
