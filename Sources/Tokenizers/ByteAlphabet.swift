/// GPT-2's printable spelling of bytes: each byte is one character, so that every byte sequence can
/// stand in a text file. Printable ASCII and Latin-1 stand for themselves, the other bytes for the
/// characters from U+0100 on, in order.
enum ByteAlphabet {
  /// The scalar that spells each byte.
  static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (UInt8.min...UInt8.max).map { byte in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF:
        return Unicode.Scalar(byte)
      default:
        defer { next += 1 }
        return Unicode.Scalar(next) ?? Unicode.Scalar(byte)
      }
    }
  }()

  /// The byte that each scalar below U+0180 spells.
  private static let bytes: [UInt8?] = {
    var bytes = [UInt8?](repeating: nil, count: 0x180)
    for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar.value)] = UInt8(byte) }
    return bytes
  }()

  /// The bytes that `text` spells, or nil where one of its scalars is not of the alphabet.
  static func bytes(spelledBy text: String) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      guard scalar.value < bytes.count, let byte = bytes[Int(scalar.value)] else { return nil }
      result.append(byte)
    }
    return result
  }

  /// The UTF-8 of the spelling of `bytes`.
  static func spelling(of bytes: some Sequence<UInt8>) -> [UInt8] {
    bytes.flatMap { UTF8.encode(scalars[Int($0)]).map(Array.init) ?? [] }
  }
}
