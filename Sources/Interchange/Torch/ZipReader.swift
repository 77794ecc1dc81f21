import Files
import Gzip

/// The stored files of a zip archive. Its directory alone says what there is, as in every reader.
struct ZipReader {
  private struct Entry {
    var crc: UInt32
    var size: Int
    var header: Int
  }

  private static let headerSize = 30
  private static let entrySize = 46
  private static let endSize = 22

  private let file: [UInt8]
  private var entries: [String: Entry] = [:]

  var size: Int { file.count }
  var names: [String] { entries.keys.sorted() }

  /// - Throws: ``TorchError/notAnArchive`` or ``TorchError/damaged(_:)``.
  init(_ file: [UInt8]) throws(TorchError) {
    self.file = file
    // A comment of up to 65,535 bytes may follow the end record.
    let first = max(0, file.count - Self.endSize - Int(UInt16.max))
    guard file.count >= Self.endSize,
      let end = stride(from: file.count - Self.endSize, through: first, by: -1)
        .first(where: { file.littleEndian(at: $0, as: UInt32.self) == ZipSignature.end })
    else { throw .notAnArchive }
    let count = Int(file.littleEndian(at: end + 10, as: UInt16.self))
    var position = Int(file.littleEndian(at: end + 16, as: UInt32.self))
    for _ in 0..<count {
      guard position + Self.entrySize <= end, file.littleEndian(at: position, as: UInt32.self) == ZipSignature.entry
      else {
        throw .damaged("its directory is cut short")
      }
      func field(_ offset: Int) -> Int { Int(file.littleEndian(at: position + offset, as: UInt16.self)) }
      let (name, next) = (field(28), position + Self.entrySize + field(28) + field(30) + field(32))
      guard next <= end else { throw .damaged("its directory is cut short") }
      guard field(10) == 0 else { throw .damaged("a file in it is compressed, which torch.save never does") }
      let start = position + Self.entrySize
      let entry = Entry(
        crc: file.littleEndian(at: position + 16, as: UInt32.self),
        size: Int(file.littleEndian(at: position + 24, as: UInt32.self)),
        header: Int(file.littleEndian(at: position + 42, as: UInt32.self)))
      guard entries.updateValue(entry, forKey: String(decoding: file[start..<start + name], as: UTF8.self)) == nil
      else { throw .damaged("a name stands in it twice") }
      position = next
    }
  }

  /// A file's bytes, of the right checksum; `nil` where there is none of that name.
  func data(of name: String) throws(TorchError) -> ArraySlice<UInt8>? {
    guard let entry = entries[name] else { return nil }
    guard entry.header + Self.headerSize <= file.count,
      file.littleEndian(at: entry.header, as: UInt32.self) == ZipSignature.file
    else { throw .damaged("\(quoted(name)) is not where its directory says") }
    let lengths = [26, 28].map { Int(file.littleEndian(at: entry.header + $0, as: UInt16.self)) }
    let start = entry.header + Self.headerSize + lengths[0] + lengths[1]
    guard entry.size <= file.count - start else { throw .damaged("\(quoted(name)) is cut short") }
    let data = file[start..<start + entry.size]
    guard crc32(of: data) == entry.crc else {
      throw .damaged("\(quoted(name)) has another checksum than its directory says")
    }
    return data
  }
}
