/// Why something could not be signed, or a signature is not to be trusted.
public enum SignatureError: Error, Equatable, Sendable {
  case notAKey(path: String, isPrivate: Bool)
  case wrongHalf(path: String, isPrivate: Bool)
  case encryptedKey(path: String)
  case notAPlainFile(path: String)
  case unsigned(folder: String)
  case malformed(path: String, reason: String)
  case unknownKey(path: String)
  case badSignature(path: String)
  case otherFiles(folder: String, reason: String)
}

extension SignatureError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notAKey(let path, let isPrivate):
      "'\(path)' is no \(isPrivate ? "private" : "public") key of the curve P-256 in PEM: \(isPrivate ? "make one with 'openssl ecparam -name prime256v1 -genkey -noout'" : "take it from the private one with 'openssl ec -pubout'")"
    case .wrongHalf(let path, let isPrivate):
      isPrivate
        ? "'\(path)' is a private key, which nobody else should have: give the public one, from 'openssl ec -pubout'"
        : "'\(path)' is a public key, which cannot sign: give the private one"
    case .encryptedKey(let path):
      "'\(path)' is encrypted: decrypt it first, with 'openssl pkey'"
    case .notAPlainFile(let path):
      "'\(path)' is neither a file nor part of a bundle: remove it"
    case .unsigned(let folder):
      "'\(folder)' has no signature, \(FolderSignature.fileName): ask whoever made it to sign it"
    case .malformed(let path, let reason):
      "'\(path)' is no signature of a model by a plain key: \(reason)"
    case .unknownKey(let path):
      "'\(path)' was made with another key than those that are trusted"
    case .badSignature(let path):
      "'\(path)' was not made with the key that it names, or was changed since"
    case .otherFiles(let folder, let reason):
      "'\(folder)' is not what was signed: \(reason)"
    }
  }
}
