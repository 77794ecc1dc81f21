import Files
import Foundation
import HDF5

/// The file of a sample; its layout is written down in `schemas/sample-hdf5.md`.
extension TokenSequences {
  private static let format = "gambit-sample"
  private static let formatVersion: Int64 = 1

  /// Writes the sample, replacing a file that is there as a whole. The same sample makes the same bytes.
  public func write(to url: URL) throws(CorpusError) {
    do {
      try writeAtomically(to: url.path) { temporary in
        let file = try HDF5File(creating: temporary)
        let root = file.root
        try root.attributes.write(Self.format, to: "format")
        try root.attributes.write(Self.formatVersion, to: "format_version")
        try root.attributes.write(contentHash, to: "content_hash")
        try root.attributes.write(encodedProvenance(), to: "provenance")
        let dataset = try root.write(tokens, shape: [count, sequenceLength], to: "tokens")
        try dataset.attributes.write("token ids", to: "units")
        try file.flush()
      }
    } catch let error as FileError {
      throw .file(error)
    } catch let error as HDF5Error {
      throw .hdf5(error)
    } catch {
      throw .invalidSample(path: url.path, reason: "\(error)")
    }
  }

  /// Reads a sample and checks it against its own hash.
  ///
  /// - Throws: ``CorpusError/hdf5(_:)`` or ``CorpusError/invalidSample(path:reason:)``.
  public init(contentsOf url: URL) throws(CorpusError) {
    let path = url.path
    let root = try Self.hdf5 { () throws(HDF5Error) in try HDF5File(reading: path).root }
    try Self.requireFormat(root.attributes, path: path)
    let dataset = try Self.hdf5 { () throws(HDF5Error) in try root.dataset("tokens") }
    guard dataset.shape.count == 2 else {
      throw .invalidSample(path: path, reason: "its tokens are not [sequences, sequence length]")
    }
    let (tokens, hash, provenance) = try Self.hdf5 { () throws(HDF5Error) in
      let attributes = root.attributes
      return try (
        dataset.read(as: Int32.self), attributes.read("content_hash", as: String.self),
        attributes.read("provenance", as: String.self)
      )
    }
    do {
      try self.init(tokens: tokens, sequenceLength: dataset.shape[1], provenance: Self.decode(provenance))
    } catch {
      throw .invalidSample(path: path, reason: "\(error)")
    }
    guard contentHash == hash else {
      throw .invalidSample(path: path, reason: "its tokens don't have the hash that it states: sample again")
    }
  }

  private static func requireFormat(_ attributes: HDF5Attributes, path: String) throws(CorpusError) {
    let found = try hdf5 { () throws(HDF5Error) in
      try attributes.exists("format") ? attributes.read("format", as: String.self) : ""
    }
    guard found == format else {
      throw .invalidSample(path: path, reason: "it is another kind of file: give one that 'gambit sample' wrote")
    }
    let version = try hdf5 { () throws(HDF5Error) in try attributes.read("format_version", as: Int64.self) }
    guard version == formatVersion else {
      throw .invalidSample(
        path: path, reason: "it has version \(version) of the format, but \(formatVersion) is needed: sample again")
    }
  }

  private static func hdf5<Result>(_ body: () throws(HDF5Error) -> Result) throws(CorpusError) -> Result {
    do { return try body() } catch { throw .hdf5(error) }
  }

  private func encodedProvenance() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return String(decoding: try encoder.encode(provenance), as: UTF8.self)
  }

  private static func decode(_ provenance: String) throws(CorpusError) -> SampleProvenance {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      return try decoder.decode(SampleProvenance.self, from: Data(provenance.utf8))
    } catch {
      throw .badRequest(reason: "its provenance is not what this version of the format has")
    }
  }
}
