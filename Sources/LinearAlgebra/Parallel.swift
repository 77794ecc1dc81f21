import Synchronization

/// Runs `body(worker, index)` for every index below `count` on up to `threads` threads and returns
/// when all are done. A worker (`0 ..< threads`) is one thread at a time, so that workspaces can be
/// kept by worker. After a throw no further index is begun, and the first error is rethrown.
package func forEachIndex(
  below count: Int, threads: Int, _ body: @Sendable (_ worker: Int, _ index: Int) throws -> Void
) throws {
  precondition(threads > 0)
  let next = Atomic<Int>(0)
  let failure = Mutex<(any Error)?>(nil)
  let work: @Sendable (_ worker: Int) -> Void = { worker in
    while true {
      let index = next.add(1, ordering: .relaxed).oldValue
      guard index < count, failure.withLock({ $0 == nil }) else { return }
      do {
        try body(worker, index)
      } catch {
        failure.withLock { $0 = $0 ?? error }
      }
    }
  }
  withoutActuallyEscaping(work) { work in
    let helpers = (1..<max(min(threads, count), 1)).compactMap { worker in HelperThread { work(worker) } }
    work(0)
    for helper in helpers { helper.join() }
  }
  if let error = failure.withLock({ $0 }) { throw error }
}

/// What `body` gives for every index below `count`, in their order, computed as ``forEachIndex(below:threads:_:)`` does.
package func mapIndices<Result: Sendable>(
  below count: Int, threads: Int, _ body: @Sendable (_ index: Int) throws -> Result
) throws -> [Result] {
  let results = Mutex([Result?](repeating: nil, count: count))
  try forEachIndex(below: count, threads: threads) { _, index in
    let result = try body(index)
    results.withLock { $0[index] = result }
  }
  return results.withLock { $0 }.compactMap { $0 }
}
