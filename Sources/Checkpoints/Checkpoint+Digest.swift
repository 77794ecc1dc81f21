import Crypto
import Files
import Foundation
import Synchronization

extension Checkpoint {
  /// The digest of a set of files, computed once, on first use; large files are hashed again only where they changed.
  final class Digest: Sendable {
    private let files: [String]
    private let known = Mutex<String?>(nil)

    /// - Parameter files: paths whose last components differ.
    init(files: [String]) { self.files = files }

    func value() throws(CheckpointError) -> String {
      // Errors leave a mutex as values: its closure cannot throw a type of its own.
      try known.withLock { known -> Result<String, CheckpointError> in
        if let known { return .success(known) }
        let result = Result { () throws(CheckpointError) in try compute() }
        known = try? result.get()
        return result
      }.get()
    }

    private func compute() throws(CheckpointError) -> String {
      try wrappingFileErrors { () throws(FileError) in
        let digests = KnownDigests.standard()
        if files.count == 1 { return try digests.sha256(ofFile: files[0]) }
        var list = SHA256()
        for (name, path) in files.map({ (URL(fileURLWithPath: $0).lastPathComponent, $0) }).sorted(by: <) {
          list.update(data: Data("\(try digests.sha256(ofFile: path))  \(name)\n".utf8))
        }
        return list.finalize().hexadecimal
      }
    }
  }
}
