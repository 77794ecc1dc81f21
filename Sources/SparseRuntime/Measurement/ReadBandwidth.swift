import SparseKernels

/// How fast this machine reads memory: the limit of decoding one token at a time.
struct ReadBandwidth {
  /// Far larger than caches.
  static let bytes = 256 << 20

  private let memory = MeasuredMemory(bytes: Self.bytes)
  private let kernels: SparseKernels

  init(_ kernels: SparseKernels) { self.kernels = kernels }

  /// Bytes a second over all threads, each reading a part of its own: the median of several rounds.
  func measure(threads: Int) -> Double {
    let (pool, kernels, memory) = (WorkerPool(threads: threads), kernels, memory)
    let tasks = 16 * threads
    let sums = MeasuredMemory(bytes: tasks * 64)
    let body: (Int) -> Void = { task in
      let part = UnsafeRawBufferPointer(rebasing: memory.bytes[share(task, of: memory.bytes.count, among: tasks)])
      // Written somewhere, so that the reading cannot be left out.
      sums.bytes.storeBytes(of: kernels.sumBytes(part), toByteOffset: task * 64, as: UInt64.self)
    }
    let clock = ContinuousClock()
    let rounds = (0..<9).map { _ in Double(Self.bytes) / clock.measure { pool.run(tasks: tasks, body) }.seconds }
    return rounds.quantile(0.5)
  }
}

/// Memory full of what is an ordinary number in every element type, aligned to a cache line.
final class MeasuredMemory: @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer

  init(bytes count: Int) {
    bytes = .allocate(byteCount: count, alignment: 64)
    // 0.0115 as float32 and bfloat16, 1.06 as float16: neither a denormal number nor one that is none.
    bytes.initializeMemory(as: UInt8.self, repeating: 0x3C)
  }

  deinit { bytes.deallocate() }
}
