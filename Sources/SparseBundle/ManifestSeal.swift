import Crypto
import Files
import Foundation

/// The digest by which a manifest's bytes vouch for themselves: the SHA-256 of the file with zeros in the digest's place.
/// It finds accidents; against intent there are signatures.
package enum ManifestSeal {
  static let empty = String(repeating: "0", count: 64)

  /// A manifest whose digest is empty, with its digest.
  package static func seal(_ manifest: Data) -> Data {
    guard let place = place(of: empty, in: manifest) else {
      preconditionFailure("a manifest has one place for its digest")
    }
    var sealed = manifest
    sealed.replaceSubrange(place, with: Data(SHA256.hash(data: manifest).hexadecimal.utf8))
    return sealed
  }

  /// Whether the digest that a manifest states is its own.
  static func isIntact(_ manifest: Data, stated: String) -> Bool {
    guard stated.utf8.count == empty.utf8.count, let place = place(of: stated, in: manifest) else { return false }
    var bytes = manifest
    bytes.replaceSubrange(place, with: Data(empty.utf8))
    return SHA256.hash(data: bytes).hexadecimal == stated
  }

  /// Where a digest stands, where it stands once.
  private static func place(of digest: String, in manifest: Data) -> Range<Data.Index>? {
    let text = Data(digest.utf8)
    guard let place = manifest.range(of: text), manifest[place.upperBound...].range(of: text) == nil else { return nil }
    return place
  }
}
