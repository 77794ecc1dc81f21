import Files

/// The table at the end of a seekable file: the sizes of its frames in order.
///
/// It is a skippable frame, so that `zstd -d` passes over it:
///
///     magic 0x184D2A5E │ size │ entries (compressed size, size [, checksum])… │ count │ flags │ magic 0x8F92EAB1
///
/// Numbers are little-endian of 32 bits but for the flags, which are one byte. Source: zstd's
/// contrib/seekable_format, version 0.1.1.
struct SeekTable {
  struct Entry: Equatable {
    var compressedSize: UInt32
    var size: UInt32
  }

  static let headerSize = 8
  static let footerSize = 9
  static let largestCount = 0x800_0000
  private static let skippableMagic: UInt32 = 0x184D_2A5E
  private static let footerMagic: UInt32 = 0x8F92_EAB1
  private static let checksumFlag: UInt8 = 0x80
  private static let reservedFlags: UInt8 = 0x7C

  var entries: [Entry] = []

  /// The table as it stands in a file, without checksums: the frames carry their own.
  var encoded: [UInt8] {
    let size = entries.count * 8 + Self.footerSize
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.headerSize + size)
    for word in [Self.skippableMagic, UInt32(size)] { bytes.append(littleEndian: word) }
    for entry in entries {
      bytes.append(littleEndian: entry.compressedSize)
      bytes.append(littleEndian: entry.size)
    }
    bytes.append(littleEndian: UInt32(entries.count))
    bytes.append(0)
    bytes.append(littleEndian: Self.footerMagic)
    return bytes
  }

  /// The size of the whole table, which its last nine bytes tell.
  static func size(footer: [UInt8]) throws(ZstandardError) -> Int {
    guard footer.count == footerSize, footer.littleEndian(at: 5, as: UInt32.self) == footerMagic else {
      throw .notSeekable
    }
    let count = Int(footer.littleEndian(at: 0, as: UInt32.self))
    guard footer[4] & reservedFlags == 0 else { throw .badSeekTable(reason: "reserved flags are set") }
    guard count <= largestCount else { throw .badSeekTable(reason: "it claims \(count) frames") }
    return headerSize + count * entrySize(flags: footer[4]) + footerSize
  }

  /// Reads a table of which `bytes` is the whole.
  init(parsing bytes: [UInt8]) throws(ZstandardError) {
    guard bytes.count >= Self.headerSize + Self.footerSize,
      try Self.size(footer: Array(bytes.suffix(Self.footerSize))) == bytes.count,
      bytes.littleEndian(at: 0, as: UInt32.self) == Self.skippableMagic,
      Int(bytes.littleEndian(at: 4, as: UInt32.self)) == bytes.count - Self.headerSize
    else { throw .badSeekTable(reason: "its header and its footer don't agree") }
    let stride = Self.entrySize(flags: bytes[bytes.count - 5])
    for offset in Swift.stride(from: Self.headerSize, to: bytes.count - Self.footerSize, by: stride) {
      entries.append(
        Entry(
          compressedSize: bytes.littleEndian(at: offset, as: UInt32.self),
          size: bytes.littleEndian(at: offset + 4, as: UInt32.self)))
    }
  }

  init() {}

  private static func entrySize(flags: UInt8) -> Int { flags & checksumFlag == 0 ? 8 : 12 }
}
