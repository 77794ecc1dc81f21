import Crypto
import Foundation

/// A sigstore bundle (version 0.3) of a DSSE envelope that was signed with a plain key, without certificate or log.
struct SignatureBundle: Codable {
  static let mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
  static let payloadType = "application/vnd.in-toto+json"

  struct Material: Codable {
    struct PublicKey: Codable {
      var hint: String?
    }
    var publicKey: PublicKey?
    var tlogEntries: [String]?

    enum CodingKeys: CodingKey {
      case publicKey, tlogEntries
    }

    init(hint: String) {
      publicKey = PublicKey(hint: hint)
      tlogEntries = []
    }

    /// Entries of a log are no concern of a plain key's.
    init(from decoder: any Decoder) throws {
      publicKey = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(PublicKey.self, forKey: .publicKey)
    }
  }

  struct Envelope: Codable {
    struct Signature: Codable {
      var sig: Data
      var keyid: String?
    }
    var payload: Data
    var payloadType: String
    var signatures: [Signature]
  }

  var mediaType = Self.mediaType
  var verificationMaterial: Material
  var dsseEnvelope: Envelope

  /// Signs a payload. ECDSA draws a number for each signature, so that no two are the same.
  init(signing payload: Data, _ key: SigningKey) throws {
    let signature = try key.key.signature(for: Self.encoding(of: payload, Self.payloadType))
    verificationMaterial = Material(hint: key.key.publicKey.hint)
    dsseEnvelope = Envelope(
      payload: payload, payloadType: Self.payloadType,
      signatures: [.init(sig: signature.derRepresentation, keyid: "")])
  }

  /// What is signed of a payload: DSSE's pre-authentication encoding, version 1.
  private static func encoding(of payload: Data, _ type: String) -> Data {
    Data("DSSEv1 \(type.utf8.count) \(type) \(payload.count) ".utf8) + payload
  }

  /// The payload, where one of the keys has signed it.
  ///
  /// - Parameter path: What messages call the file.
  func payload(trusting keys: [TrustedKey], path: String) throws(SignatureError) -> Data {
    guard mediaType == Self.mediaType, dsseEnvelope.payloadType == Self.payloadType else {
      throw .malformed(path: path, reason: "it is no sigstore bundle 0.3 of an in-toto statement")
    }
    guard let publicKey = verificationMaterial.publicKey else {
      throw .malformed(path: path, reason: "it was made with a certificate or an identity")
    }
    guard dsseEnvelope.signatures.count == 1,
      let signature = try? P256.Signing.ECDSASignature(derRepresentation: dsseEnvelope.signatures[0].sig)
    else { throw .malformed(path: path, reason: "it has not one signature of the curve P-256") }
    let named = keys.filter { publicKey.hint == nil || $0.key.hint == publicKey.hint }
    guard !named.isEmpty else { throw .unknownKey(path: path) }
    let signed = Self.encoding(of: dsseEnvelope.payload, dsseEnvelope.payloadType)
    guard named.contains(where: { $0.key.isValidSignature(signature, for: signed) }) else {
      throw .badSignature(path: path)
    }
    return dsseEnvelope.payload
  }
}
