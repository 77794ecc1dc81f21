import Foundation
import SparseBundle

/// A manifest that says something else than it did, with its digest made anew: what tampering would do. As it is where it
/// has no place for one any more.
public func resealed(_ manifest: String) -> [UInt8] {
  let zeros = String(repeating: "0", count: 64)
  let emptied = manifest.replacing(/("manifest_sha256" : ")[0-9a-f]{64}/) { $0.1 + zeros }
  return emptied.ranges(of: zeros).count == 1 ? Array(ManifestSeal.seal(Data(emptied.utf8))) : Array(manifest.utf8)
}

/// What could be a SHA-256.
public func someDigest(_ digit: Character) -> String { String(repeating: digit, count: 64) }
