/// A text and where it was found.
public struct Document: Sendable, Equatable {
  /// The text, exactly as it is in the file but for invalid UTF-8, which is replaced by U+FFFD.
  public let text: String

  /// The file.
  public let path: String

  /// The line in a JSONL file, from one; `nil` where the file is the document.
  public let line: Int?
}

/// Reads the documents of files one after the other, in the order of the files and of their lines.
///
///     let reader = try DocumentReader(patterns: ["pipelines/corpora/*.jsonl"])
///     while let document = try reader.next() { … }
///
/// A `.txt` file is one document; a `.jsonl` file has one a line, in a field of an object, and its
/// blank lines are skipped. Either may be packed as `.zst` or `.gz`. Memory is bounded by the largest
/// document, which may have 1 GiB at most. Not to be used from two threads at once.
public final class DocumentReader {
  /// The files, in the order in which they are read.
  public let files: [String]

  private let field: String
  private var rest: ArraySlice<String>
  private var current: DocumentFile?
  private var bytesOfEarlierFiles = 0

  /// Bytes of files that the documents so far took, with all that lies around their texts; of compressed files, unpacked.
  public var bytesRead: Int { bytesOfEarlierFiles + (current?.bytesRead ?? 0) }

  /// - Parameters:
  ///   - patterns: Paths in which `*`, `?` and `**` (any folders) may stand; the files of each are
  ///     sorted, and a file that was named already is not read again.
  ///   - field: The field of a JSONL line that holds the text.
  /// - Throws: ``CorpusError/noFiles(pattern:)`` where a pattern names no file.
  public init(patterns: [String], field: String = "text") throws(CorpusError) {
    files = try Glob.expand(patterns)
    self.field = field
    rest = files[...]
  }

  /// The next document, `nil` after the last one.
  public func next() throws(CorpusError) -> Document? {
    while true {
      if let document = try current?.next() { return document }
      guard let path = rest.popFirst() else { return nil }
      bytesOfEarlierFiles = bytesRead
      current = try DocumentFile(path: path, field: field)
    }
  }
}
