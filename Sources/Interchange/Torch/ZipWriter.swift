import Files
import Gzip

/// A zip archive of stored files, as `torch.save` makes it: nothing is compressed, and each file's data start at a multiple
/// of 64 bytes. Format: PKWARE's APPNOTE 6.3, without its 64-bit extensions.
struct ZipWriter {
  private static let alignment = 64
  private static let headerSize = 30
  /// Identifier and size in front of the bytes that align.
  private static let extraSize = 4

  private(set) var bytes: [UInt8] = []
  private var directory: [UInt8] = []
  private var count: UInt16 = 0

  /// - Precondition: The archive stays below 4 GiB and 65,536 files.
  mutating func add(_ name: String, _ data: [UInt8]) {
    let offset = bytes.count
    let start = offset + Self.headerSize + name.utf8.count + Self.extraSize
    let padding = -start & (Self.alignment - 1)
    // Stored, of 1980-01-01, the first date there is: the same data make the same bytes.
    var entry: [UInt8] = []
    for field: UInt16 in [0, 0, 0, 0x21] { entry.append(littleEndian: field) }
    entry.append(littleEndian: crc32(of: data))
    entry.append(littleEndian: UInt32(data.count))
    entry.append(littleEndian: UInt32(data.count))
    entry.append(littleEndian: UInt16(name.utf8.count))

    bytes.append(littleEndian: ZipSignature.file)
    bytes.append(littleEndian: UInt16(0))
    bytes += entry
    bytes.append(littleEndian: UInt16(Self.extraSize + padding))
    bytes += name.utf8
    bytes += Array("FB".utf8)
    bytes.append(littleEndian: UInt16(padding))
    bytes += [UInt8](repeating: UInt8(ascii: "Z"), count: padding) + data

    directory.append(littleEndian: ZipSignature.entry)
    directory.append(littleEndian: UInt32(0))  // versions
    directory += entry
    // Neither extra field nor comment, on disk 0, without attributes.
    directory += [UInt8](repeating: 0, count: 12)
    directory.append(littleEndian: UInt32(offset))
    directory += name.utf8
    count += 1
  }

  /// The whole file.
  func finished() -> [UInt8] {
    var end: [UInt8] = []
    end.append(littleEndian: ZipSignature.end)
    end.append(littleEndian: UInt32(0))  // disks
    end.append(littleEndian: count)
    end.append(littleEndian: count)
    end.append(littleEndian: UInt32(directory.count))
    end.append(littleEndian: UInt32(bytes.count))
    end.append(littleEndian: UInt16(0))  // comment
    return bytes + directory + end
  }
}

enum ZipSignature {
  static let file: UInt32 = 0x0403_4b50
  static let entry: UInt32 = 0x0201_4b50
  static let end: UInt32 = 0x0605_4b50
}
