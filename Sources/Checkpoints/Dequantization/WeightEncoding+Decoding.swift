extension WeightEncoding {
  /// Turns stored weights into float32, with the arithmetic and rounding of ggml's reference: results
  /// equal those of the Python package `gguf` bit for bit.
  ///
  /// - Precondition: `source` holds exactly the blocks of `target.count` weights, and those fill whole blocks.
  /// - Complexity: O(`target.count`), without allocation.
  package func decode(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Float>) {
    precondition(byteCount(of: target.count) == source.count)
    guard let source = source.baseAddress, let first = target.baseAddress else { return }
    let blocks = target.count / weightsPerBlock
    // One loop an encoding, so that each block function is inlined into its own.
    switch self {
    case .f32: UnsafeMutableRawPointer(first).copyMemory(from: source, byteCount: blocks * 4)
    case .f16: widen(source, first, blocks, FloatBits.float(fromF16:))
    case .bf16: widen(source, first, blocks, FloatBits.float(fromBF16:))
    case .q4_0: walk(source, first, blocks, SmallBlocks.decodeQ4_0)
    case .q4_1: walk(source, first, blocks, SmallBlocks.decodeQ4_1)
    case .q5_0: walk(source, first, blocks, SmallBlocks.decodeQ5_0)
    case .q5_1: walk(source, first, blocks, SmallBlocks.decodeQ5_1)
    case .q8_0: walk(source, first, blocks, SmallBlocks.decodeQ8_0)
    case .iq4_NL: walk(source, first, blocks, SmallBlocks.decodeIQ4_NL)
    case .q2_K: walk(source, first, blocks, SuperBlocks.decodeQ2_K)
    case .q3_K: walk(source, first, blocks, SuperBlocks.decodeQ3_K)
    case .q4_K: walk(source, first, blocks, SuperBlocks.decodeQ4_K)
    case .q5_K: walk(source, first, blocks, SuperBlocks.decodeQ5_K)
    case .q6_K: walk(source, first, blocks, SuperBlocks.decodeQ6_K)
    }
  }

  /// No block to be stepped over and nothing checked: a loop that compilers vectorise.
  @inline(__always)
  private func widen(
    _ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>, _ count: Int, _ number: (UInt16) -> Float
  ) {
    for i in 0..<count {
      target[i] = number(UInt16(littleEndian: source.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self)))
    }
  }

  @inline(__always)
  private func walk(
    _ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>, _ blocks: Int,
    _ decodeBlock: (UnsafeRawPointer, UnsafeMutablePointer<Float>) -> Void
  ) {
    let stride = bytesPerBlock
    let weights = weightsPerBlock
    for block in 0..<blocks { decodeBlock(source + block * stride, target + block * weights) }
  }
}
