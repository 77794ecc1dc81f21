import Foundation

/// A folder that lives as long as the test that made it.
final class TemporaryFolder: Sendable {
  let root = NSTemporaryDirectory() + "gambit-hdf5-" + UUID().uuidString

  init() { try? FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: root) }

  func path(_ name: String) -> String { "\(root)/\(name)" }
}
