import CZstandard
import Files

/// Reads any part of a file in zstd's seekable format by unpacking only the frames that hold it.
///
///     let reader = try SeekableReader(path: "weights.safetensors.zst")
///     let header = try reader.read(offset: 0, count: 8)
///
/// The table is checked when the file is opened, each frame against the table and against its own
/// checksum when it is unpacked. No frame may claim more than its compressed bytes can unpack to.
/// Any number of threads may share a reader; each call unpacks by itself and keeps nothing.
public final class SeekableReader: Sendable {
  /// One independent piece of the file.
  public struct Frame: Sendable, Equatable {
    /// Where the frame's contents lie among all unpacked bytes.
    public let contents: Range<Int>

    /// Where the frame lies in the file.
    public let stored: Range<Int>
  }

  /// All frames in order: their contents are adjacent, and so are their places in the file.
  public let frames: [Frame]

  /// The size of all unpacked bytes.
  public let count: Int

  private let file: FileReader

  /// - Throws: ``ZstandardError/notSeekable`` where the file does not end with a seek table, and
  ///   ``ZstandardError/badSeekTable(reason:)`` where the table does not fit the file.
  /// - Complexity: O(frames).
  public init(path: String) throws(ZstandardError) {
    file = try wrappingFileError { () throws(FileError) in try FileReader(path: path) }
    guard file.count >= SeekTable.headerSize + SeekTable.footerSize else { throw .notSeekable }
    let tableSize = try SeekTable.size(footer: Self.tail(of: file, count: SeekTable.footerSize))
    guard tableSize <= file.count else { throw .badSeekTable(reason: "it is larger than the file") }
    let table = try SeekTable(parsing: Self.tail(of: file, count: tableSize))
    frames = try Self.frames(of: table, storedSize: file.count - tableSize)
    count = frames.last?.contents.upperBound ?? 0
  }

  /// The contents of one frame.
  ///
  /// - Precondition: `index` is one of ``frames``.
  public func frame(_ index: Int) throws(ZstandardError) -> [UInt8] {
    let frame = frames[index]
    let stored = try wrappingFileError { () throws(FileError) in
      try file.read(at: frame.stored.lowerBound, count: frame.stored.count)
    }
    let contents = try DecompressionContext().decompress(stored, limit: frame.contents.count)
    guard contents.count == frame.contents.count else {
      throw .badSeekTable(
        reason: "frame \(index) unpacks to \(contents.count) bytes instead of \(frame.contents.count)")
    }
    return contents
  }

  /// Exactly `count` unpacked bytes from `offset`.
  ///
  /// - Complexity: O(log frames + the frames that the range touches).
  public func read(offset: Int, count wanted: Int) throws(ZstandardError) -> [UInt8] {
    guard offset >= 0, wanted >= 0, offset <= count, wanted <= count - offset else {
      throw .rangeOutOfBounds(offset: offset, count: wanted, size: count)
    }
    let range = offset..<(offset + wanted)
    var result: [UInt8] = []
    var index = firstFrame(endingAfter: offset)
    while result.count < wanted {
      let place = frames[index].contents
      let part = place.clamped(to: range)
      let contents = try frame(index)
      if part.count == wanted, part == place { return contents }
      result += contents[(part.lowerBound - place.lowerBound)..<(part.upperBound - place.lowerBound)]
      index += 1
    }
    return result
  }

  private func firstFrame(endingAfter offset: Int) -> Int {
    var (low, high) = (0, frames.count)
    while low < high {
      let middle = (low + high) / 2
      if frames[middle].contents.upperBound > offset { high = middle } else { low = middle + 1 }
    }
    return low
  }

  private static func tail(of file: FileReader, count: Int) throws(ZstandardError) -> [UInt8] {
    try wrappingFileError { () throws(FileError) in try file.read(at: file.count - count, count: count) }
  }

  /// Sums cannot overflow: there are at most 2²⁷ entries of 32 bits.
  private static func frames(of table: SeekTable, storedSize: Int) throws(ZstandardError) -> [Frame] {
    var (offset, place) = (0, 0)
    var frames: [Frame] = []
    frames.reserveCapacity(table.entries.count)
    for (index, entry) in table.entries.enumerated() {
      let (stored, size) = (Int(entry.compressedSize), Int(entry.size))
      guard size <= greatestUnpackedSize(of: stored) ?? .max else {
        throw .badSeekTable(reason: "frame \(index) claims \(size) bytes, more than \(stored) bytes can unpack to")
      }
      frames.append(Frame(contents: offset..<(offset + size), stored: place..<(place + stored)))
      offset += size
      place += stored
    }
    guard place == storedSize else {
      throw .badSeekTable(reason: "its frames take \(place) bytes, but the file has \(storedSize)")
    }
    return frames
  }
}

private func wrappingFileError<Result>(_ body: () throws(FileError) -> Result) throws(ZstandardError) -> Result {
  do { return try body() } catch { throw .file("\(error)") }
}
