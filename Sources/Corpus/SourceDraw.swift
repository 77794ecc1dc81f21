/// Reads one source after the other, dropping what an earlier one had, and chooses documents of each.
struct SourceDraw {
  private let seed: UInt64
  private let endOfText: Int32
  private var reporter: ProgressReporter
  private var seen: Set<DocumentHash> = []

  init(seed: UInt64, endOfText: Int32, reporter: ProgressReporter) {
    self.seed = seed
    self.endOfText = endOfText
    self.reporter = reporter
  }

  /// - Returns: What became of the source's documents, and those chosen: fewer tokens than `share`
  ///   where the source has no more.
  mutating func read(
    _ source: TextSource, files: [String], share: Int, encode: (String) throws -> [Int32]
  ) throws -> (SampleProvenance.Source, Selection) {
    var account = SampleProvenance.Source(source)
    var selection = Selection(share: share)
    for path in files {
      let file = try DocumentFile(path: path, field: source.field)
      var documents = 0
      while let document = try file.next() {
        documents += 1
        reporter.documentRead(in: file)
        guard let text = Cleaning.clean(document.text) else {
          account.empty += 1
          continue
        }
        let hash = DocumentHash(of: text)
        guard seen.insert(hash).inserted else {
          account.duplicates += 1
          continue
        }
        let priority = hash.priority(seed: seed)
        guard selection.accepts(priority) else { continue }
        selection.insert(.init(priority: priority, tokens: try encode(text) + [endOfText]))
      }
      account.documents += documents
      account.files.append(.init(path: path, sha256: file.stream.digest, documents: documents))
      reporter.fileEnded(file)
    }
    account.used = selection.count
    account.tokens = min(share, selection.tokens)
    return (account, selection)
  }
}
