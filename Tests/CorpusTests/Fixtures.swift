import Foundation
import Testing

@testable import Corpus

/// What `make_fixtures.py` says the files hold, and what a sample of them must be.
struct Expected: Decodable {
  struct Account: Decodable, Equatable {
    var documents, duplicates, empty, used, tokens: Int
  }

  var first, second, third, notes: [String]
  var seed: UInt64
  var sequenceLength, requestedTokens: Int
  var tokens: [Int32]
  var contentHash: String
  var accounts: [Account]
  var digests: [String: String]

  static func load() throws -> Expected {
    let url = URL(fileURLWithPath: try fixture("expected.json"))
    return try JSONDecoder().decode(Expected.self, from: Data(contentsOf: url))
  }
}

func fixture(_ name: String) throws -> String {
  let root = try #require(Bundle.module.resourcePath)
  return "\(root)/Fixtures/\(name)"
}

/// The stand-in for a tokenizer: a UTF-8 byte plus one a token. Zero ends a text.
func bytes(_ text: String) -> [Int32] { text.utf8.map { Int32($0) + 1 } }

/// A folder that lives as long as the test that made it.
final class TemporaryFolder: Sendable {
  let root = NSTemporaryDirectory() + "gambit-corpus-" + UUID().uuidString

  init() { try? FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: root) }

  /// The path of a new file with these contents, in folders that are made on the way.
  @discardableResult
  func file(_ name: String, _ contents: some Sequence<UInt8>) throws -> String {
    let url = URL(fileURLWithPath: "\(root)/\(name)")
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(contents).write(to: url)
    return url.path
  }
}
