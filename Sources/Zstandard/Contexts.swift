import CZstandard

/// Owns a libzstd compression context, set up for frames with a checksum of their contents.
final class CompressionContext {
  private let context: OpaquePointer

  init(level: Int) throws(ZstandardError) {
    let allowed = Int(ZSTD_minCLevel())...Int(ZSTD_maxCLevel())
    guard allowed.contains(level) else { throw .levelOutOfRange(level, allowed: allowed) }
    guard let context = ZSTD_createCCtx() else { throw .library("out of memory") }
    self.context = context
    _ = try check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level)))
    _ = try check(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1))
  }

  deinit { ZSTD_freeCCtx(context) }

  /// One frame that holds `bytes` and states their number.
  func compress(_ bytes: [UInt8]) throws(ZstandardError) -> [UInt8] {
    let bound = try check(ZSTD_compressBound(bytes.count))
    var result = 0
    let frame = [UInt8](unsafeUninitializedCapacity: bound) { buffer, filled in
      result = ZSTD_compress2(context, buffer.baseAddress, bound, bytes, bytes.count)
      filled = ZSTD_isError(result) == 0 ? result : 0
    }
    _ = try check(result)
    return frame
  }
}

/// Owns a libzstd decompression context.
final class DecompressionContext {
  let context: OpaquePointer

  init() throws(ZstandardError) {
    guard let context = ZSTD_createDCtx() else { throw .library("out of memory") }
    self.context = context
  }

  deinit { ZSTD_freeDCtx(context) }

  /// Unpacks whole frames into at most `limit` bytes, all of which are allocated.
  func decompress(_ frames: [UInt8], limit: Int) throws(ZstandardError) -> [UInt8] {
    var result = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
      result = ZSTD_decompressDCtx(context, buffer.baseAddress, limit, frames, frames.count)
      filled = ZSTD_isError(result) == 0 ? result : 0
    }
    if ZSTD_isError(result) != 0, ZSTD_getErrorCode(result) == ZSTD_error_dstSize_tooSmall {
      throw .tooLarge(limit: limit)
    }
    _ = try check(result)
    return bytes
  }
}

/// The most bytes that `count` bytes of zstd data can unpack to, or `nil` where that overflows: a
/// block unpacks to at most 128 KiB and takes at least 4 bytes (RFC 8878, 3.1.1.2).
func greatestUnpackedSize(of count: Int) -> Int? {
  let (size, overflow) = count.multipliedReportingOverflow(by: 32768)
  return overflow ? nil : size
}
