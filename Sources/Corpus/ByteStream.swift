import Crypto
import Files
import Gzip
import Zstandard

/// A file's unpacked bytes, piece by piece, with the digest of the file itself taken on the way.
final class ByteStream {
  /// The size of the file as it lies on disk.
  let fileSize: Int

  private let path: String
  private let progress: Progress
  private let unpacked: () throws -> [UInt8]?

  /// What has been taken from the file so far.
  private final class Progress {
    var hash = SHA256()
    var count = 0
  }

  init(path: String, compression: TextFormat.Compression) throws(CorpusError) {
    let progress = Progress()
    do {
      let file = try FileReader(path: path)
      let chunks = file.chunks()
      let stored: () throws -> [UInt8]? = {
        guard let chunk = try chunks() else { return nil }
        progress.hash.update(data: chunk)
        progress.count += chunk.count
        return chunk
      }
      fileSize = file.count
      switch compression {
      case .none: unpacked = stored
      case .zstandard: unpacked = try ZstandardReader(source: stored).next
      case .gzip: unpacked = try GzipReader(source: stored).next
      }
    } catch {
      throw CorpusError(error, path: path)
    }
    self.path = path
    self.progress = progress
  }

  /// Bytes of the file read so far, as they lie on disk.
  var bytesRead: Int { progress.count }

  /// The file's SHA-256 in hexadecimal, once `next` has returned `nil`.
  var digest: String { progress.hash.finalize().hexadecimal }

  func next() throws(CorpusError) -> [UInt8]? {
    do { return try unpacked() } catch { throw CorpusError(error, path: path) }
  }
}

extension CorpusError {
  /// Whatever went wrong with the bytes of `path`.
  fileprivate init(_ error: any Error, path: String) {
    self =
      switch error {
      case let error as FileError: .file(error)
      default: .damaged(path: path, reason: "\(error)")
      }
  }
}
