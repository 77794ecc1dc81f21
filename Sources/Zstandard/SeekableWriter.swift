/// Writes zstd's seekable format: independent frames, and at the end a table of their sizes, with
/// which a reader unpacks any part alone. Every zstd decoder reads it as a plain stream.
///
///     let writer = try SeekableWriter { try file.write($0) }
///     try writer.append(tensor)
///     try writer.endFrame()
///     try writer.finish()
///
/// The same bytes with the same frame ends make the same file, however they were cut into calls.
/// Memory is bounded by the frame size. Not to be used from two threads at once.
public final class SeekableWriter {
  private let context: CompressionContext
  private let maximumFrameSize: Int
  private let sink: ([UInt8]) throws -> Void
  private var table = SeekTable()
  private var pending: [UInt8] = []
  private var isFinished = false

  /// The number of bytes appended so far; the offset of the next one.
  public private(set) var count = 0

  /// - Parameters:
  ///   - level: 1 (fast) to 22 (small).
  ///   - maximumFrameSize: A frame that reaches this many bytes before it is ended is ended there; at
  ///     most 1 GiB, which keeps compressed sizes within the format's 32 bits.
  ///   - sink: Takes the compressed bytes in order.
  public init(
    level: Int = 3, maximumFrameSize: Int = 4 << 20, sink: @escaping ([UInt8]) throws -> Void
  ) throws(ZstandardError) {
    context = try CompressionContext(level: level)
    self.maximumFrameSize = min(max(maximumFrameSize, 1), 1 << 30)
    self.sink = sink
  }

  /// Adds bytes to the frame.
  ///
  /// - Throws: ``ZstandardError``, or what the sink throws.
  public func append(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try append($0) } }

  /// Adds bytes to the frame.
  package func append(_ bytes: UnsafeRawBufferPointer) throws {
    guard !isFinished else { throw ZstandardError.finished }
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = rest.prefix(maximumFrameSize - pending.count)
      pending.append(contentsOf: part)
      rest = rest.dropFirst(part.count)
      count += part.count
      if pending.count == maximumFrameSize { try endFrame() }
    }
  }

  /// Ends the frame, so that what follows can be unpacked without it. Does nothing where it is empty.
  public func endFrame() throws {
    guard !pending.isEmpty else { return }
    guard table.entries.count < SeekTable.largestCount else {
      throw ZstandardError.badSeekTable(reason: "the format allows no more frames: choose a larger frame size")
    }
    let frame = try context.compress(pending)
    try sink(frame)
    table.entries.append(.init(compressedSize: UInt32(frame.count), size: UInt32(pending.count)))
    pending.removeAll(keepingCapacity: true)
  }

  /// Ends the last frame and writes the table. Nothing can be appended afterwards.
  public func finish() throws {
    guard !isFinished else { throw ZstandardError.finished }
    try endFrame()
    isFinished = true
    try sink(table.encoded)
  }
}
