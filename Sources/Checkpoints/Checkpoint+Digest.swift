import Crypto
import Files
import Foundation
import Synchronization

extension Checkpoint {
  /// The digest of a set of files, computed once, on first use; large files are hashed again only where they changed.
  final class Digest: Sendable {
    private let files: [String]
    private let listed: Checksums?
    private let known = Mutex<String?>(nil)

    /// - Parameters:
    ///   - files: paths whose last components differ.
    ///   - listed: Digests that files have which are not here; others that are listed must have theirs.
    init(files: [String], listed: Checksums? = nil) {
      self.files = files
      self.listed = listed
    }

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
      if files.count == 1 { return try digest(files[0], named: "") }
      var list = SHA256()
      for (name, path) in files.map({ (URL(fileURLWithPath: $0).lastPathComponent, $0) }).sorted(by: <) {
        list.update(data: Data("\(try digest(path, named: name))  \(name)\n".utf8))
      }
      return list.finalize().hexadecimal
    }

    private func digest(_ path: String, named name: String) throws(CheckpointError) -> String {
      let stated = listed?.digests[name]
      if let stated, !FileManager.default.fileExists(atPath: path) { return stated }
      let found = try wrappingFileErrors { () throws(FileError) in try KnownDigests.standard().sha256(ofFile: path) }
      guard found == stated ?? found else {
        throw .malformed(path: path, problem: "its SHA-256 is not the one that \(Checksums.fileName) lists")
      }
      return found
    }
  }
}
