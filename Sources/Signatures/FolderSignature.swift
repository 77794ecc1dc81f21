import Files
import Foundation

/// Signs the files of a folder, and checks that they are what somebody signed: by the convention of the OpenSSF's
/// model-signing, so that its tools accept our signatures and we accept theirs.
///
///     try FolderSignature.sign(folder, SigningKey(path: "key.pem"))
///     try FolderSignature.check(folder, trusting: [TrustedKey(path: "key.pub")])
public enum FolderSignature {
  /// Beside what it signs.
  public static let fileName = "model.sig"
  /// No folder that is signed has so many files.
  private static let largest = 1 << 20

  /// Writes the signature, in place of one that is there.
  ///
  /// - Throws: ``SignatureError`` where there is something else than files, `FileError` where one cannot be read or the
  ///   signature not be written.
  /// - Complexity: O(the files' bytes) time.
  public static func sign(_ folder: String, _ key: SigningKey) throws {
    let name = URL(filePath: folder).standardizedFileURL.lastPathComponent
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let statement = try encoder.encode(SignedStatement(of: name, try digests(of: folder)))
    try writeAtomically(
      encoder.encode(SignatureBundle(signing: statement, key)), to: folder + "/" + fileName)
  }

  /// - Returns: How many files the signature covers: all but itself.
  /// - Throws: ``SignatureError`` where there is no signature, none by one of the keys, or one of other files.
  /// - Complexity: O(the files' bytes) time.
  @discardableResult
  public static func check(_ folder: String, trusting keys: [TrustedKey]) throws -> Int {
    let path = folder + "/" + fileName
    guard FileManager.default.fileExists(atPath: path) else { throw SignatureError.unsigned(folder: folder) }
    try requirePlainFile(path)
    let file = try FileReader(path: path)
    guard file.count <= largest else {
      throw SignatureError.malformed(path: path, reason: "it has more than a mebibyte")
    }
    let bytes = Data(try file.read(at: 0, count: file.count))
    guard let bundle = try? JSONDecoder().decode(SignatureBundle.self, from: bytes) else {
      throw SignatureError.malformed(path: path, reason: "it is no sigstore bundle of a DSSE envelope")
    }
    let payload = try bundle.payload(trusting: keys, path: path)
    guard let statement = try? JSONDecoder().decode(SignedStatement.self, from: payload) else {
      throw SignatureError.malformed(path: path, reason: "what it signs is no statement about files")
    }
    let signed: [String: String]
    do { signed = try statement.digests() } catch {
      throw SignatureError.malformed(path: path, reason: error.reason)
    }
    try compare(signed, digests(of: folder), folder)
    return signed.count
  }

  private static func compare(
    _ signed: [String: String], _ found: [String: String], _ folder: String
  ) throws(SignatureError) {
    for name in signed.keys.sorted() where found[name] == nil {
      throw .otherFiles(folder: folder, reason: "'\(name)' is missing")
    }
    for (name, digest) in found.sorted(by: { $0.key < $1.key }) where signed[name] != digest {
      throw .otherFiles(folder: folder, reason: "'\(name)' \(signed[name] == nil ? "was not signed" : "has changed")")
    }
  }

  /// The digest of each file but the signature, by name.
  private static func digests(of folder: String) throws -> [String: String] {
    var digests: [String: String] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name != fileName {
      let path = folder + "/" + name
      // Two spellings of one Unicode name would be one key.
      guard name.utf8.allSatisfy({ 0x20..<0x7F ~= $0 }) else { throw SignatureError.notAPlainFile(path: path) }
      try requirePlainFile(path)
      digests[name] = try sha256(ofFile: path)
    }
    return digests
  }

  /// No link, which may lead anywhere.
  private static func requirePlainFile(_ path: String) throws {
    let type = try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
    guard type == .typeRegular else { throw SignatureError.notAPlainFile(path: path) }
  }
}
