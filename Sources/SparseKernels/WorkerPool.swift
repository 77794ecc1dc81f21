import CSparseKernels

/// Threads for work that comes in pieces of microseconds: between two pieces they spin, then sleep.
///
///     let pool = WorkerPool(threads: 2)
///     let body: (Int) -> Void = { task in … }  // made once: a run allocates nothing
///     pool.run(tasks: 8, body)
///
/// One thread at a time may use a pool.
package final class WorkerPool: @unchecked Sendable {
  /// Threads that work, the caller's among them: 1 where the system refuses more.
  package let threads: Int
  private let pool: OpaquePointer?

  /// - Precondition: `threads` is positive.
  package init(threads: Int) {
    precondition(threads > 0)
    pool = threads > 1 ? gambit_pool_create(threads) : nil
    self.threads = pool == nil ? 1 : threads
  }

  deinit { if let pool { gambit_pool_destroy(pool) } }

  /// Calls `body` once for each task below `tasks` and returns when all calls have. Tasks are taken in ascending
  /// order by whoever is free.
  ///
  /// - Precondition: `tasks` is below 2²⁰.
  package func run(tasks: Int, _ body: @escaping (_ task: Int) -> Void) {
    guard let pool, tasks > 1 else {
      for task in 0..<tasks { body(task) }
      return
    }
    precondition(tasks < 1 << 20)
    var work = Work(body: body)
    withUnsafeMutablePointer(to: &work) { work in
      gambit_pool_run(
        pool, tasks, { context, task in context?.assumingMemoryBound(to: Work.self).pointee.body(task) }, work)
    }
  }

  /// A closure alone would be converted for generic code, which allocates.
  private struct Work {
    let body: (Int) -> Void
  }
}
