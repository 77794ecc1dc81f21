import CZstandard

/// Unpacks a stream of zstd frames piece by piece.
///
///     let reader = try ZstandardReader(source: FileReader(path: "corpus.jsonl.zst").chunks())
///     while let chunk = try reader.next() { … }
///
/// Memory is bounded by the window, 128 MiB at most, whatever the data claim. Skippable frames are
/// skipped, so that seekable files are read too. Not to be used from two threads at once.
public final class ZstandardReader {
  private let context: DecompressionContext
  private let source: () throws -> [UInt8]?
  private var input: [UInt8] = []
  private var position = 0
  /// Zero between frames.
  private var awaited = 1
  private var outputIsPending = false

  /// - Parameters:
  ///   - windowLog: The base-2 logarithm of the largest window that a frame may ask for, 10 to 31.
  ///   - source: Hands out the compressed bytes front to back, and `nil` at their end.
  public init(windowLog: Int = 27, source: @escaping () throws -> [UInt8]?) throws(ZstandardError) {
    context = try DecompressionContext()
    self.source = source
    _ = try check(ZSTD_DCtx_setParameter(context.context, ZSTD_d_windowLogMax, Int32(clamping: windowLog)))
  }

  /// The next unpacked bytes, at least one; `nil` at the end.
  ///
  /// - Throws: ``ZstandardError``, or what the source throws.
  public func next() throws -> [UInt8]? {
    while true {
      if position == input.count, !outputIsPending {
        guard let chunk = try source() else {
          guard awaited == 0 else { throw ZstandardError.truncated }
          return nil
        }
        input = chunk
        position = 0
        if chunk.isEmpty { continue }
      }
      let output = try step()
      if !output.isEmpty { return output }
    }
  }

  private func step() throws(ZstandardError) -> [UInt8] {
    let capacity = ZSTD_DStreamOutSize()
    var result = 0
    var consumed = position
    let output = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
      input.withUnsafeBytes { bytes in
        var source = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: consumed)
        var target = ZSTD_outBuffer(dst: buffer.baseAddress, size: capacity, pos: 0)
        result = ZSTD_decompressStream(context.context, &target, &source)
        consumed = source.pos
        filled = target.pos
      }
    }
    let isStuck = consumed == position && output.isEmpty
    position = consumed
    // A full output buffer may hide more output than the input that is left.
    outputIsPending = output.count == capacity
    let remaining = try check(result)
    // With no input left and nothing written, the result asks for the next frame's header.
    if !isStuck { awaited = remaining }
    return output
  }
}
