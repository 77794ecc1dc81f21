#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Where matrices lie, aligned to 64 bytes.
///
/// Large ones lie in pages of their own, which the system has back as soon as they are freed. The C library would learn to
/// keep matrices of up to 32 MB in its heap, which their coming and going leaves full of holes: an export of SmolLM2-135M
/// held 560 to 790 MB instead of 415.
enum MatrixMemory {
  private static let leastOfPages = 1 << 20

  static func allocate(bytes: Int) -> UnsafeMutableRawPointer {
    guard bytes >= leastOfPages else { return .allocate(byteCount: bytes, alignment: 64) }
    // Without memory there is no way on; the C library's allocations end the process, too.
    guard let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0), memory != MAP_FAILED
    else { fatalError("no memory for a matrix of \(bytes) bytes") }
    return memory
  }

  static func free(_ memory: UnsafeMutableRawPointer, bytes: Int) {
    if bytes < leastOfPages { memory.deallocate() } else { munmap(memory, bytes) }
  }
}
