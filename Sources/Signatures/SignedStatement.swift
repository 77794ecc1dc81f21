import Crypto
import Files

/// What is signed: an in-toto statement of the digests of a folder's files, as the OpenSSF model-signing specification has
/// it (predicate `https://model_signing/signature/v1.0`).
struct SignedStatement: Codable {
  static let statementType = "https://in-toto.io/Statement/v1"
  static let predicateType = "https://model_signing/signature/v1.0"

  struct Subject: Codable {
    var name: String
    var digest: [String: String]
  }

  struct Resource: Codable {
    var name: String
    var algorithm: String
    var digest: String
  }

  struct Serialization: Codable {
    var method: String
    var hashType: String
    var allowSymlinks: Bool
    /// What the signer left out; what counts is that it left out nothing of the folder's.
    var ignorePaths: [String]?

    enum CodingKeys: String, CodingKey {
      case method
      case hashType = "hash_type"
      case allowSymlinks = "allow_symlinks"
      case ignorePaths = "ignore_paths"
    }
  }

  struct Predicate: Codable {
    var serialization: Serialization
    var resources: [Resource]
  }

  var type = Self.statementType
  var subject: [Subject]
  var predicateType = Self.predicateType
  var predicate: Predicate

  enum CodingKeys: String, CodingKey {
    case type = "_type"
    case subject, predicateType, predicate
  }

  /// - Parameter digests: The SHA-256 of each file, in hexadecimal digits, by name.
  init(of folder: String, _ digests: [String: String]) {
    let resources = digests.sorted { $0.key < $1.key }
      .map { Resource(name: $0.key, algorithm: "sha256", digest: $0.value) }
    subject = [Subject(name: folder, digest: ["sha256": Self.rootDigest(resources) ?? ""])]
    predicate = Predicate(
      serialization: Serialization(
        method: "files", hashType: "sha256", allowSymlinks: false, ignorePaths: [FolderSignature.fileName]),
      resources: resources)
  }

  /// The SHA-256 of all digests in their order; `nil` where one is none.
  private static func rootDigest(_ resources: [Resource]) -> String? {
    var hash = SHA256()
    for resource in resources {
      guard let bytes = bytes(ofHexadecimal: resource.digest), bytes.count == SHA256.byteCount else { return nil }
      hash.update(data: bytes)
    }
    return hash.finalize().hexadecimal
  }

  private static func bytes(ofHexadecimal text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for i in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[i..<i + 2], as: UTF8.self), radix: 16), digits[i] != 0x2B else {
        return nil
      }
      bytes.append(byte)
    }
    return bytes
  }

  /// The digests by name, or what is wrong with the statement.
  func digests() throws(Problem) -> [String: String] {
    guard type == Self.statementType, predicateType == Self.predicateType else {
      throw Problem("its statement is of another kind than \(Self.predicateType)")
    }
    let serialization = predicate.serialization
    guard serialization.method == "files", serialization.hashType == "sha256" else {
      throw Problem(
        "it covers \(serialization.method) by \(serialization.hashType), but only files by sha256 are checked")
    }
    guard subject.count == 1, let root = subject[0].digest["sha256"], root == Self.rootDigest(predicate.resources)
    else {
      throw Problem("the digest of its subject is not that of the files that it lists")
    }
    var digests: [String: String] = [:]
    for resource in predicate.resources {
      guard resource.algorithm == "sha256", digests.updateValue(resource.digest, forKey: resource.name) == nil else {
        throw Problem("it lists '\(resource.name)' twice, or by another digest than sha256")
      }
    }
    return digests
  }

  struct Problem: Error {
    var reason: String
    init(_ reason: String) { self.reason = reason }
  }
}
