import Foundation
import Testing

@testable import Zstandard

/// The contents of the fixtures; the same formula stands in `make_fixtures.py`.
func pattern(_ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: ($0 % 61) * ($0 / 997)) }
}

func fixture(_ name: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(fileURLWithPath: fixturePath(name))))
}

func fixturePath(_ name: String) throws -> String {
  try #require(Bundle.module.path(forResource: name, ofType: nil, inDirectory: "Fixtures"))
}

/// Hands out `bytes` in pieces.
func pieces(_ bytes: [UInt8], of size: Int) -> () -> [UInt8]? {
  var rest = bytes[...]
  return {
    guard !rest.isEmpty else { return nil }
    defer { rest = rest.dropFirst(size) }
    return Array(rest.prefix(size))
  }
}

/// One frame.
func compressed(_ bytes: [UInt8], level: Int = 3) throws -> [UInt8] {
  try CompressionContext(level: level).compress(bytes)
}

/// All that a reader hands out.
func all(_ next: () throws -> [UInt8]?) rethrows -> [UInt8] {
  var result: [UInt8] = []
  while let chunk = try next() { result += chunk }
  return result
}

/// A folder that lives as long as the test that made it.
final class TemporaryFolder: Sendable {
  let root = NSTemporaryDirectory() + "gambit-zstd-" + UUID().uuidString

  init() { try? FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: root) }

  /// The path of a new file with these contents.
  func file(_ bytes: [UInt8], named name: String = UUID().uuidString) throws -> String {
    let path = "\(root)/\(name)"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }
}
