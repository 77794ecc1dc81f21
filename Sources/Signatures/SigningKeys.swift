import Crypto
import Files
import Foundation

/// Who signs: a private key of the curve P-256, from PEM as OpenSSL writes it (SEC1 or PKCS #8, not encrypted).
public struct SigningKey: Sendable {
  let key: P256.Signing.PrivateKey

  /// - Throws: ``SignatureError`` where the file holds no such key, `FileError` where it cannot be read.
  public init(path: String) throws {
    let text = try keyText(path)
    guard !text.contains("ENCRYPTED") else { throw SignatureError.encryptedKey(path: path) }
    guard text.contains("PRIVATE KEY") || !text.contains("PUBLIC KEY") else {
      throw SignatureError.wrongHalf(path: path, isPrivate: false)
    }
    // OpenSSL may write the curve's parameters in a block of their own before it.
    guard let block = text.firstMatch(of: /-----BEGIN ((EC )?PRIVATE KEY)-----[^-]+-----END [A-Z ]+-----/),
      let key = try? P256.Signing.PrivateKey(pemRepresentation: String(block.0))
    else { throw SignatureError.notAKey(path: path, isPrivate: true) }
    self.key = key
  }
}

/// Whose signatures are believed.
public struct TrustedKey: Sendable {
  let key: P256.Signing.PublicKey

  /// - Throws: ``SignatureError`` where the file holds no public key of the curve P-256, `FileError` where it cannot be
  ///   read.
  public init(path: String) throws {
    let text = try keyText(path)
    guard !text.contains("PRIVATE KEY") else { throw SignatureError.wrongHalf(path: path, isPrivate: true) }
    guard let key = try? P256.Signing.PublicKey(pemRepresentation: text) else {
      throw SignatureError.notAKey(path: path, isPrivate: false)
    }
    self.key = key
  }
}

extension P256.Signing.PublicKey {
  /// What signatures call a key: the SHA-256 of its PEM, in lines of 64 characters.
  var hint: String {
    let text = derRepresentation.base64EncodedString()
    var lines = ["-----BEGIN PUBLIC KEY-----"]
    var rest = text[...]
    while !rest.isEmpty {
      lines.append(String(rest.prefix(64)))
      rest = rest.dropFirst(64)
    }
    let pem = (lines + ["-----END PUBLIC KEY-----", ""]).joined(separator: "\n")
    return SHA256.hash(data: Data(pem.utf8)).hexadecimal
  }
}

private func keyText(_ path: String) throws -> String {
  let file = try FileReader(path: path)
  return String(decoding: try file.read(at: 0, count: min(file.count, 1 << 16)), as: UTF8.self)
}
