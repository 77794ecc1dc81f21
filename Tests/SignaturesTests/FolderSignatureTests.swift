import Files
import Foundation
import Testing

@testable import Signatures

/// Signatures of `model_signing`, made by `Tests/Fixtures/make_signature_oracle.py`, and our own.
struct FolderSignatureTests {
  private let root = FileManager.default.temporaryDirectory.appending(path: "gambit-signatures-\(UUID())").path
  private var folder: String { root + "/bundle" }
  private var signature: String { folder + "/" + FolderSignature.fileName }

  init() throws {
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: Self.fixture("signed"), toPath: folder)
  }

  @Test func signatureOfModelSigningIsAccepted() throws {
    #expect(try FolderSignature.check(folder, trusting: [trusted("other"), trusted("key")]) == 2)
    #expect(throws: SignatureError.unknownKey(path: signature)) {
      try FolderSignature.check(folder, trusting: [trusted("other")])
    }
  }

  @Test(arguments: ["key", "pkcs8", "parameters"])
  func ownSignatureIsAccepted(_ key: String) throws {
    let theirs = try bytes(signature)
    for name in ["a.txt", "c.txt"] { try writeAtomically(Array(name.utf8), to: folder + "/" + name) }
    try FolderSignature.sign(folder, SigningKey(path: Self.fixture(key + ".pem")))
    #expect(try FolderSignature.check(folder, trusting: [trusted("key")]) == 3 && bytes(signature) != theirs)
    #expect(throws: SignatureError.unknownKey(path: signature)) {
      try FolderSignature.check(folder, trusting: [trusted("other")])
    }
    // The key's name is what theirs is.
    let hints = try [theirs, bytes(signature)].map {
      try JSONDecoder().decode(SignatureBundle.self, from: Data($0)).verificationMaterial.publicKey?.hint
    }
    #expect(hints[0] == hints[1] && hints[0]?.count == 64)
  }

  @Test func changedFilesAreFound() throws {
    func isRefused(_ reason: String) throws {
      #expect(throws: SignatureError.otherFiles(folder: folder, reason: reason)) {
        try FolderSignature.check(folder, trusting: [trusted("key")])
      }
    }
    let path = folder + "/b.bin"
    let good = try bytes(path)
    for bit in 0..<8 {
      var changed = good
      changed[bit * 31] ^= 1 << UInt8(bit)
      try writeAtomically(changed, to: path)
      try isRefused("'b.bin' has changed")
    }
    try writeAtomically(good, to: path)
    try writeAtomically([1], to: folder + "/c")
    try isRefused("'c' was not signed")
    try FileManager.default.removeItem(atPath: folder + "/c")
    try FileManager.default.removeItem(atPath: path)
    try isRefused("'b.bin' is missing")
  }

  @Test func linksAndFoldersAreNoPartOfWhatIsSigned() throws {
    let key = try SigningKey(path: Self.fixture("key.pem"))
    for make in [
      { try FileManager.default.createSymbolicLink(atPath: $0, withDestinationPath: "a.txt") },
      { try FileManager.default.createDirectory(atPath: $0, withIntermediateDirectories: false) },
    ] as [(String) throws -> Void] {
      let path = folder + "/odd"
      try make(path)
      #expect(throws: SignatureError.notAPlainFile(path: path)) { try FolderSignature.sign(folder, key) }
      #expect(throws: SignatureError.notAPlainFile(path: path)) {
        try FolderSignature.check(folder, trusting: [trusted("key")])
      }
      try FileManager.default.removeItem(atPath: path)
    }
    try FileManager.default.moveItem(atPath: signature, toPath: root + "/elsewhere")
    try FileManager.default.createSymbolicLink(atPath: signature, withDestinationPath: root + "/elsewhere")
    #expect(throws: SignatureError.notAPlainFile(path: signature)) {
      try FolderSignature.check(folder, trusting: [trusted("key")])
    }
  }

  /// Whether a signer says what it left out, and what: every file must be there.
  @Test func signatureThatIgnoresNothingIsAccepted() throws {
    let theirs = try JSONDecoder().decode(SignatureBundle.self, from: Data(bytes(signature)))
    var statement = try JSONDecoder().decode(SignedStatement.self, from: theirs.dsseEnvelope.payload)
    statement.predicate.serialization.ignorePaths = nil
    let payload = try JSONEncoder().encode(statement)
    #expect(!String(decoding: payload, as: UTF8.self).contains("ignore_paths"))
    try writeAtomically(
      JSONEncoder().encode(SignatureBundle(signing: payload, SigningKey(path: Self.fixture("key.pem")))), to: signature)
    #expect(try FolderSignature.check(folder, trusting: [trusted("key")]) == 2)
  }

  /// Every bit of the file: what is not signed either says nothing or makes it none.
  @Test func everyFlippedBitOfASignatureIsFoundOrMeansNothing() throws {
    let (good, key) = (try bytes(signature), try trusted("key"))
    let meant = try meaning(good)
    var found = 0
    for index in good.indices {
      for bit in 0..<8 {
        var changed = good
        changed[index] ^= 1 << UInt8(bit)
        try Data(changed).write(to: URL(filePath: signature))
        if (try? FolderSignature.check(folder, trusting: [key])) == nil {
          found += 1
        } else {
          #expect(try meaning(changed) == meant, "bit \(bit) of byte \(index)")
        }
      }
    }
    #expect(found > good.count * 7)
  }

  /// What a signature says: whom it names, what was signed, and with what.
  private func meaning(_ bytes: [UInt8]) throws -> [Data] {
    let bundle = try JSONDecoder().decode(SignatureBundle.self, from: Data(bytes))
    return [bundle.dsseEnvelope.payload] + bundle.dsseEnvelope.signatures.map(\.sig)
  }

  /// Signed by the right key, but of something else than a list of files by SHA-256.
  @Test(arguments: [
    ("\"files\"", "\"shards\""), ("\"sha256\",\n      \"digest\"", "\"blake2b\",\n      \"digest\""),
    ("signature/v1.0", "signature/v2.0"), ("Statement/v1", "Statement/v0"), ("\"subject\"", "\"object\""),
    ("\"sha256\"\n  }", "\"blake3\"\n  }"),
  ])
  func otherStatementsAreRefused(part: String, other: String) throws {
    let key = try SigningKey(path: Self.fixture("key.pem"))
    func sign(_ text: String) throws {
      try writeAtomically(
        JSONEncoder().encode(SignatureBundle(signing: Data(text.utf8), key)), to: signature)
    }
    let theirs = try JSONDecoder().decode(SignatureBundle.self, from: Data(bytes(signature)))
    let text = String(decoding: theirs.dsseEnvelope.payload, as: UTF8.self)
    try sign(text)
    #expect(try FolderSignature.check(folder, trusting: [trusted("key")]) == 2)
    let changed = text.contains(part) ? text.replacing(part, with: other) : text.replacing("sha256", with: "sha1")
    #expect(changed != text)
    try sign(changed)
    let error = #expect(throws: SignatureError.self) {
      try FolderSignature.check(folder, trusting: [trusted("key")])
    }
    if case .malformed? = error {} else { Issue.record("\(String(describing: error))") }
  }

  @Test func whatIsNoSignatureIsRefused() throws {
    for bytes in [[], Array("{}".utf8), Array("[1]".utf8), [UInt8](repeating: 0x20, count: 1 << 21)] {
      try writeAtomically(bytes, to: signature)
      let error = #expect(throws: SignatureError.self) {
        try FolderSignature.check(folder, trusting: [trusted("key")])
      }
      if case .malformed? = error {} else { Issue.record("\(String(describing: error))") }
    }
    try FileManager.default.removeItem(atPath: signature)
    #expect(throws: SignatureError.unsigned(folder: folder)) {
      try FolderSignature.check(folder, trusting: [trusted("key")])
    }
  }

  @Test func otherFilesThanKeysAreRefused() {
    func path(_ name: String) -> String { Self.fixture(name) }
    for name in ["p384.pem", "signed/a.txt"] {
      #expect(throws: SignatureError.notAKey(path: path(name), isPrivate: true)) { try SigningKey(path: path(name)) }
    }
    for name in ["p384.pub", "signed/b.bin"] {
      #expect(throws: SignatureError.notAKey(path: path(name), isPrivate: false)) { try TrustedKey(path: path(name)) }
    }
    #expect(throws: SignatureError.encryptedKey(path: path("encrypted.pem"))) {
      try SigningKey(path: path("encrypted.pem"))
    }
    #expect(throws: SignatureError.wrongHalf(path: path("key.pub"), isPrivate: false)) {
      try SigningKey(path: path("key.pub"))
    }
    #expect(throws: SignatureError.wrongHalf(path: path("key.pem"), isPrivate: true)) {
      try TrustedKey(path: path("key.pem"))
    }
    #expect(throws: FileError.self) { try TrustedKey(path: path("absent")) }
  }

  private static func fixture(_ name: String) -> String {
    Bundle.module.bundleURL.appending(path: "Fixtures/\(name)").path
  }

  private func trusted(_ name: String) throws -> TrustedKey { try TrustedKey(path: Self.fixture(name + ".pub")) }

  private func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }
}
