import Foundation

/// The documents of one file, in order.
///
/// A `.txt` file is one document, a `.jsonl` file holds one a line. A byte order mark at the file's
/// start is dropped and invalid UTF-8 replaced by U+FFFD; nothing else is changed.
final class DocumentFile {
  /// The most bytes of one document: what a compressed file can make of a few bytes has to end somewhere.
  static let largestDocument = 1 << 30

  let path: String
  let stream: ByteStream
  private let layout: TextFormat.Layout
  private let field: String
  private let decoder = JSONDecoder()
  private var chunk: [UInt8] = []
  private var position = 0
  private var line = 0
  /// Of the documents so far, and of what lies between them; unpacked.
  private(set) var bytesRead = 0

  init(path: String, field: String) throws(CorpusError) {
    let format = try TextFormat(path: path)
    self.path = path
    self.field = field
    layout = format.layout
    stream = try ByteStream(path: path, compression: format.compression)
  }

  /// The next document, `nil` at the file's end.
  func next() throws(CorpusError) -> Document? {
    switch layout {
    case .text:
      guard line == 0 else { return nil }
      let bytes = try bytes(until: nil) ?? []
      return Document(text: String(decoding: bytes, as: UTF8.self), path: path, line: nil)
    case .jsonl:
      while let bytes = try bytes(until: UInt8(ascii: "\n")) {
        if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }) { continue }
        return Document(text: try text(in: bytes), path: path, line: line)
      }
      return nil
    }
  }

  /// The bytes up to a separator, or up to the end where there is none; `nil` at the end.
  private func bytes(until separator: UInt8?) throws(CorpusError) -> [UInt8]? {
    var bytes: [UInt8] = []
    line += 1
    while true {
      if position == chunk.count {
        guard let next = try stream.next() else { return bytes.isEmpty ? nil : withoutMark(bytes) }
        (chunk, position) = (next, 0)
      }
      let end = separator.flatMap { chunk[position...].firstIndex(of: $0) }
      bytes += chunk[position..<(end ?? chunk.count)]
      bytesRead += (end.map { $0 + 1 } ?? chunk.count) - position
      guard bytes.count <= Self.largestDocument else {
        throw .documentTooLarge(path: path, line: layout == .jsonl ? line : nil, limit: Self.largestDocument)
      }
      position = end.map { $0 + 1 } ?? chunk.count
      if end != nil { return withoutMark(bytes) }
    }
  }

  private func withoutMark(_ bytes: [UInt8]) -> [UInt8] {
    line == 1 && bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
  }

  private func text(in bytes: [UInt8]) throws(CorpusError) -> String {
    let isValid = String(validating: bytes, as: UTF8.self) != nil
    let json = isValid ? Data(bytes) : Data(String(decoding: bytes, as: UTF8.self).utf8)
    do {
      return try decoder.decode(Record.self, from: json, configuration: field).text
    } catch {
      throw .badLine(path: path, line: line, reason: reason(error))
    }
  }

  private func reason(_ error: any Error) -> String {
    switch error as? DecodingError {
    case .keyNotFound: "has no field '\(field)'"
    case .typeMismatch(_, let context) where context.codingPath.isEmpty: "is not a JSON object"
    case .typeMismatch, .valueNotFound: "has no text in its field '\(field)'"
    default: "is not valid JSON: it may be cut off, or the file may be of another format"
    }
  }
}

/// The one field that is read of a line.
private struct Record: DecodableWithConfiguration {
  struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  let text: String

  init(from decoder: any Decoder, configuration field: String) throws {
    text = try decoder.container(keyedBy: Key.self).decode(String.self, forKey: Key(stringValue: field))
  }
}
