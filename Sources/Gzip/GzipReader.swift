import CZlib

/// Unpacks a gzip stream, of one or more members, piece by piece.
///
///     let reader = try GzipReader(source: FileReader(path: "corpus.jsonl.gz").chunks())
///     while let chunk = try reader.next() { … }
///
/// Takes about 300 KiB beside the source's pieces. Each member's checksum and size are verified;
/// zeros after the last one, which tapes leave, are ignored. Not to be used from two threads at once.
public final class GzipReader {
  private enum State {
    case beforeFirstMember, inMember, betweenMembers, inPadding
  }

  private let stream: UnsafeMutablePointer<z_stream>
  private let source: () throws -> [UInt8]?
  private var input: [UInt8] = []
  private var position = 0
  private var state = State.beforeFirstMember
  private var outputIsPending = false

  /// - Parameter source: Hands out the compressed bytes front to back, and `nil` at their end.
  public init(source: @escaping () throws -> [UInt8]?) throws(GzipError) {
    self.source = source
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // The largest window, and a gzip header (16) rather than a zlib one.
    let code = inflateInit2_(stream, MAX_WBITS + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else { throw .library("cannot start (code \(code))") }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// The next unpacked bytes, at least one; `nil` at the end.
  ///
  /// - Throws: ``GzipError``, or what the source throws.
  public func next() throws -> [UInt8]? {
    while true {
      if position == input.count, !outputIsPending {
        guard let chunk = try source() else {
          guard state == .betweenMembers || state == .inPadding else { throw GzipError.truncated }
          return nil
        }
        input = chunk
        position = 0
        if chunk.isEmpty { continue }
      }
      if state == .betweenMembers || state == .inPadding {
        guard try startNextMember() else { continue }
      }
      state = .inMember
      let output = try inflateSome()
      if !output.isEmpty { return output }
    }
  }

  /// Skips zeros. Returns whether a member follows.
  private func startNextMember() throws(GzipError) -> Bool {
    while position < input.count, input[position] == 0 {
      position += 1
      state = .inPadding
    }
    guard position < input.count else { return false }
    // A member starts with the bytes 1f 8b (RFC 1952, 2.3.1).
    guard state == .betweenMembers, input[position] == 0x1f else { throw .trailingBytes }
    inflateReset(stream)
    return true
  }

  private func inflateSome() throws(GzipError) -> [UInt8] {
    let capacity = 1 << 18
    var code: Int32 = 0
    let output = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
      input.withUnsafeMutableBufferPointer { bytes in
        let available = min(bytes.count - position, Int(UInt32.max))
        stream.pointee.next_in = bytes.baseAddress.map { $0 + position }
        stream.pointee.avail_in = UInt32(available)
        stream.pointee.next_out = buffer.baseAddress
        stream.pointee.avail_out = UInt32(capacity)
        code = inflate(stream, Z_NO_FLUSH)
        position += available - Int(stream.pointee.avail_in)
        filled = capacity - Int(stream.pointee.avail_out)
      }
    }
    // A full output buffer may hide more output than the input that is left.
    outputIsPending = output.count == capacity && code != Z_STREAM_END
    switch code {
    case Z_STREAM_END: state = .betweenMembers
    // No progress was possible: more input is needed.
    case Z_OK, Z_BUF_ERROR: break
    default: throw .library(stream.pointee.msg.map { String(cString: $0) } ?? "code \(code)")
    }
    return output
  }
}
