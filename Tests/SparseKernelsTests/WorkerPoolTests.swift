import Synchronization
import Testing

@testable import SparseKernels

@Suite struct WorkerPoolTests {
  @Test(arguments: [1, 2, 3, 8], [0, 1, 2, 7, 500])
  func everyTaskIsDoneOnce(threads: Int, tasks: Int) {
    let pool = WorkerPool(threads: threads)
    let done = (0..<max(tasks, 1)).map { _ in Counter() }
    for run in 1...200 {
      pool.run(tasks: tasks) { done[$0].value.add(1, ordering: .relaxed) }
      #expect(done.prefix(tasks).allSatisfy { $0.value.load(ordering: .relaxed) == run })
    }
  }

  /// What tasks wrote is there when a run returns, without any ordering of the tasks' own.
  @Test func aRunSeesWhatTheOneBeforeWrote() {
    let pool = WorkerPool(threads: 4)
    let cells = UnsafeMutablePointer<Int>.allocate(capacity: 128)
    cells.initialize(repeating: 0, count: 128)
    defer { cells.deallocate() }
    nonisolated(unsafe) let memory = cells
    for run in 0..<2000 {
      // Each task reads what another one wrote in the run before, and writes where nobody reads.
      let (old, new) = (run % 2 * 64, (run + 1) % 2 * 64)
      pool.run(tasks: 64) { task in memory[new + task] = memory[old + (task + run) % 64] + 1 }
      #expect((0..<64).allSatisfy { memory[new + $0] == run + 1 })
    }
  }

  /// Threads that went to sleep are woken, and a pool can be dropped while they sleep.
  @Test func workAfterAPause() async throws {
    for _ in 0..<5 {
      let pool = WorkerPool(threads: 3)
      try await Task.sleep(for: .milliseconds(5))
      let done = Counter()
      pool.run(tasks: 100) { _ in done.value.add(1, ordering: .relaxed) }
      #expect(done.value.load(ordering: .relaxed) == 100)
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}

private final class Counter: Sendable {
  let value = Atomic<Int>(0)
}
