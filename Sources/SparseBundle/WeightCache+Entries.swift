import Files
import Foundation

extension WeightCache {
  /// One bundle's unpacked weights.
  public struct Entry: Sendable {
    let directory: String
    /// The SHA-256 of the packed weights.
    public let key: String

    var path: String { "\(directory)/\(key).safetensors" }
    private var recordPath: String { "\(directory)/\(key).json" }

    /// What was found out when the file was written, so that it need not be hashed each time.
    private struct Record: Codable {
      var model: String
      var type: WeightType
      var bytes: Int
      var sha256: String
      /// When the file was changed last, in seconds.
      var modified: Double
    }

    public var model: String { (try? record())?.model ?? "" }
    public var type: WeightType? { (try? record())?.type }
    public var bytes: Int { (try? attributes(path))?.size ?? 0 }
    public var lastUsed: Date { (try? attributes(recordPath))?.modified ?? .distantPast }

    /// Whether the file is what was written; hashes it only where its size or time of change speak against it.
    func isIntact() throws -> Bool {
      let record = try record()
      let found = try attributes(path)
      guard found.size == record.bytes else { return false }
      return try found.modified.timeIntervalSince1970 == record.modified || hashMatches()
    }

    /// - Complexity: O(bytes).
    public func hashMatches() throws -> Bool { try sha256(ofFile: path) == record().sha256 }

    func record(model: String, type: WeightType, _ hash: String) throws {
      let found = try attributes(path)
      let record = Record(
        model: model, type: type, bytes: found.size, sha256: hash, modified: found.modified.timeIntervalSince1970)
      try writeAtomically(JSONEncoder().encode(record), to: recordPath)
    }

    /// Notes that the entry was used now.
    func touch() {
      try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: recordPath)
    }

    public func remove() {
      for path in [recordPath, path] { try? FileManager.default.removeItem(atPath: path) }
    }

    private func record() throws -> Record {
      let file = try FileReader(path: recordPath)
      return try JSONDecoder().decode(Record.self, from: Data(file.read(at: 0, count: file.count)))
    }

    private func attributes(_ path: String) throws -> (size: Int, modified: Date) {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      return (attributes[.size] as? Int ?? 0, attributes[.modificationDate] as? Date ?? .distantPast)
    }
  }

  /// All entries, by key; those that were cut short have no record, and a size all the same.
  public func entries() throws -> [Entry] {
    guard let directory, FileManager.default.fileExists(atPath: directory) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: directory).sorted().compactMap { name in
      name.hasSuffix(".safetensors") && !name.hasPrefix(".")
        ? Entry(directory: directory, key: String(name.dropLast(".safetensors".count))) : nil
    }
  }
}
