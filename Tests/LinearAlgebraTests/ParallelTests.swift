import LinearAlgebra
import Synchronization
import Testing

struct ParallelTests {
  @Test(arguments: [0, 1, 2, 7, 1000], [1, 2, 5])
  func everyIndexRunsOnce(count: Int, threads: Int) throws {
    let seen = Mutex([Int](repeating: 0, count: count))
    try forEachIndex(below: count, threads: threads) { worker, index in
      #expect((0..<threads).contains(worker))
      seen.withLock { $0[index] += 1 }
    }
    #expect(seen.withLock { $0 } == [Int](repeating: 1, count: count))
  }

  /// A worker's workspace is safe without a lock.
  @Test func callsOfOneWorkerNeverOverlap() throws {
    let busy = Mutex(Set<Int>())
    try forEachIndex(below: 500, threads: 4) { worker, _ in
      #expect(busy.withLock { $0.insert(worker).inserted })
      busy.withLock { _ = $0.remove(worker) }
    }
  }

  @Test func errorIsRethrownAndStopsTheRest() {
    struct Stop: Error {}
    let begun = Atomic<Int>(0)
    #expect(throws: Stop.self) {
      try forEachIndex(below: 1000, threads: 1) { _, index in
        begun.add(1, ordering: .relaxed)
        if index == 3 { throw Stop() }
      }
    }
    #expect(begun.load(ordering: .relaxed) == 4)
  }
}
