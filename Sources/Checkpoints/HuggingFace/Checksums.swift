import Foundation

/// The digests of a model's files, as `sha256sum NAMES > SHA256SUMS` writes them: a folder that has such a list may lack
/// shards, and is still known to be of the same model as one that has all.
struct Checksums: Sendable {
  static let fileName = "SHA256SUMS"

  /// SHA-256 in hexadecimal by a file's name.
  let digests: [String: String]

  /// - Returns: `nil` where the folder has no list.
  /// - Throws: ``CheckpointError`` where a line is none of `sha256sum`'s.
  init?(directory: String) throws(CheckpointError) {
    let path = "\(directory)/\(Self.fileName)"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let text = String(decoding: try readWhole(path), as: UTF8.self)
    var digests: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
      guard parts.count == 2, parts[0].count == 64, parts[0].allSatisfy(\.isHexDigit) else {
        throw .malformed(path: path, problem: "'\(line.prefix(80))' is not a line of sha256sum's")
      }
      // A star says that the file was read as it is, which is so on every system that Gambit runs on.
      digests[parts[1].trimmingPrefix { $0 == " " || $0 == "*" }.description] = parts[0].lowercased()
    }
    self.digests = digests
  }
}
