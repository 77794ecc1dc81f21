import Synchronization

/// Time and work spent inside matrix products, over all threads, while it is switched on: what
/// share of a forward pass runs at the processor's full rate is a figure that benchmarks print.
package final class ProductMeter: Sendable {
  package static let shared = ProductMeter()

  private let enabled = Atomic<Bool>(false)
  private let nanoseconds = Atomic<Int64>(0)
  private let operations = Atomic<Int64>(0)

  /// Seconds (summed over threads) and floating-point operations since `start()`.
  package struct Reading {
    package let seconds: Double
    package let operations: Double
  }

  package func start() {
    nanoseconds.store(0, ordering: .relaxed)
    operations.store(0, ordering: .relaxed)
    enabled.store(true, ordering: .relaxed)
  }

  package func stop() -> Reading {
    enabled.store(false, ordering: .relaxed)
    return Reading(
      seconds: Double(nanoseconds.load(ordering: .relaxed)) / 1e9,
      operations: Double(operations.load(ordering: .relaxed)))
  }

  func measure(operations count: Int, _ product: () -> Void) {
    guard enabled.load(ordering: .relaxed) else { return product() }
    let clock = ContinuousClock()
    let taken = clock.measure(product)
    let (seconds, attoseconds) = taken.components
    nanoseconds.add(seconds * 1_000_000_000 + attoseconds / 1_000_000_000, ordering: .relaxed)
    operations.add(Int64(count), ordering: .relaxed)
  }
}
