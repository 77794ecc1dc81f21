import Foundation

/// A folder that lives as long as the test that made it.
public final class TemporaryFolder: Sendable {
  public let root = NSTemporaryDirectory() + "gambit-tests-" + UUID().uuidString

  public init() { try? FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: root) }

  public func path(_ name: String) -> String { "\(root)/\(name)" }
  public var entries: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted() }
}

/// All bytes of a file.
public func bytes(ofFile path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(filePath: path)))
}
