import Files

/// How far the reading of text has come.
public struct SamplingProgress: Sendable, Equatable {
  /// The file that is being read.
  public var path: String

  /// Bytes read of all files, as they lie on disk.
  public var bytesRead: Int

  /// The size of all files, as they lie on disk.
  public var bytes: Int

  /// Documents read.
  public var documents: Int
}

/// Adds up progress over files and reports it now and then.
struct ProgressReporter {
  private let report: ((SamplingProgress) -> Void)?
  private let total: Int
  private var bytesOfEndedFiles = 0
  private var documents = 0

  init(_ files: [[String]], report: ((SamplingProgress) -> Void)?) throws(CorpusError) {
    self.report = report
    var total = 0
    do {
      for file in files.joined() { total += try FileReader(path: file).count }
    } catch {
      throw .file(error)
    }
    self.total = total
  }

  mutating func documentRead(in file: DocumentFile) {
    documents += 1
    if documents.isMultiple(of: 256) { send(file, bytes: bytesOfEndedFiles + file.stream.bytesRead) }
  }

  mutating func fileEnded(_ file: DocumentFile) {
    bytesOfEndedFiles += file.stream.fileSize
    send(file, bytes: bytesOfEndedFiles)
  }

  private func send(_ file: DocumentFile, bytes: Int) {
    report?(SamplingProgress(path: file.path, bytesRead: bytes, bytes: total, documents: documents))
  }
}
