import Foundation
import SparseBundle

/// What hand-offs that are folders have in common.
enum HandoffFolder {
  /// - Parameter file: A file that only an earlier hand-off would hold.
  /// - Throws: ``HandoffError/notReplaceable(path:)`` where something else stands at `path`.
  static func requireReplaceable(_ path: String, holding file: String) throws(HandoffError) {
    guard FileManager.default.fileExists(atPath: path) else { return }
    let entries = try? FileManager.default.contentsOfDirectory(atPath: path)
    guard let entries, entries.isEmpty || entries.contains(file) else { throw .notReplaceable(path: path) }
  }
}

extension ModelBundle {
  /// - Throws: ``HandoffError/cannotCarry(_:format:instead:)`` where weights are in planes.
  func requireWholeWeights(for format: HandoffFormat) throws(HandoffError) {
    guard !manifest.weights.type.isInPlanes else {
      throw .cannotCarry(
        "weights in planes, which its thresholds grade", format: format, instead: "export thresholds of another method")
    }
  }
}
