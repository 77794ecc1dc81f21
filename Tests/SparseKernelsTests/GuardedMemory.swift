import Foundation

/// Bytes that end where an unreadable page begins: reading or writing one past them ends the test run.
final class GuardedMemory {
  let bytes: UnsafeMutableRawBufferPointer
  private let mapping: UnsafeMutableRawPointer
  private let mapped: Int

  init(count: Int) throws {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let readable = (count + page - 1) / page * page
    mapped = readable + page
    let memory = mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else { throw POSIXError(.ENOMEM) }
    mapping = memory
    guard mprotect(memory + readable, page, PROT_NONE) == 0 else { throw POSIXError(.EACCES) }
    bytes = UnsafeMutableRawBufferPointer(start: memory + (readable - count), count: count)
  }

  deinit { munmap(mapping, mapped) }
}

/// Floats that end where an unreadable page begins.
final class GuardedFloats {
  let buffer: UnsafeMutableBufferPointer<Float>
  private let memory: GuardedMemory

  init(_ values: [Float]) throws {
    memory = try GuardedMemory(count: values.count * MemoryLayout<Float>.stride)
    buffer = memory.bytes.bindMemory(to: Float.self)
    _ = buffer.update(fromContentsOf: values)
  }

  var readable: UnsafeBufferPointer<Float> { UnsafeBufferPointer(buffer) }
  var values: [Float] { Array(buffer) }
}
