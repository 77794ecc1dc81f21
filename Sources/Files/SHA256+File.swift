import Crypto

/// The SHA-256 of a file's bytes as 64 lower-case hexadecimal digits.
///
/// - Throws: ``FileError`` where the file cannot be read.
/// - Complexity: O(the file's size) time, O(1) memory.
public func sha256(ofFile path: String) throws(FileError) -> String {
  let next = try FileReader(path: path).chunks(of: 1 << 20)
  var hash = SHA256()
  while let chunk = try next() { hash.update(data: chunk) }
  return hash.finalize().hexadecimal
}

extension Digest {
  /// The digest as lower-case hexadecimal digits.
  public var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
