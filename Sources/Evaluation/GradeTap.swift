import Synchronization
import ThresholdSolver
import Transformer

/// Makes one layer of weights in planes read of each channel and input what its grade says, at every position, and counts
/// the grades.
public final class GradeTap: SharesTap {
  private let half: GradedPlaces<[Float]>
  private let full: GradedPlaces<[Float]>
  private let counters: GradedPlaces<GradeCounter>
  private let offsets: PlaneOffsets?

  /// - Parameters:
  ///   - thresholds: Below these nothing is read.
  ///   - full: From these on all bits are.
  public init(_ thresholds: Thresholds.Layer, full: GradedPlaces<[Float]>) {
    half = GradedPlaces(
      ffn: thresholds.ffn, query: thresholds.query, key: thresholds.key, value: thresholds.value,
      output: thresholds.output)
    self.full = full
    counters = full.map { _ in GradeCounter() }
    offsets = thresholds.offsets
  }

  public var gradesProducts: Bool { true }
  public func planeOffsets(layer: Int) -> PlaneOffsets? { offsets }
  public var gradedInputs: Set<GradedInput> { Set(GradedInput.allCases.filter { full[$0.place] != nil }) }

  public func gradedInput(_ x: Activations, half: Activations, at place: GradedInput, _ context: TapContext) {
    grade(x, half, place.place) { x, _ in (x, x) }
  }

  public func gradedProduct(_ x: Activations, half: Activations, _ context: TapContext) -> Bool {
    grade(x, half, .ffn) { _, half in (half, half) }
    return true
  }

  /// Leaves each value in `x`, in `half`, or in neither.
  ///
  /// - Parameter value: From both, what is compared, and what is left in `half`.
  private func grade(
    _ x: Activations, _ halves: Activations, _ place: Thresholds.Place,
    _ value: (_ x: Float, _ half: Float) -> (compared: Float, half: Float)
  ) {
    guard let least = half[place], let most = full[place], let counter = counters[place] else { return }
    precondition(least.count == x.width && most.count == x.width)
    var (dropped, whole) = (0, 0)
    for token in 0..<x.tokens {
      let (row, other) = (x.row(token), halves.row(token))
      for channel in 0..<x.width {
        let (compared, half) = value(row[channel], other[channel])
        let isFull = compared.magnitude >= most[channel]
        let isHalf = !isFull && compared.magnitude >= least[channel]
        row[channel] = isFull ? row[channel] : 0
        other[channel] = isHalf ? half : 0
        whole &+= isFull ? 1 : 0
        dropped &+= isFull || isHalf ? 0 : 1
      }
    }
    counter.add(dropped: dropped, full: whole, of: x.tokens * x.width)
  }

  /// The shares so far, over all positions.
  public var shares: Thresholds.Shares {
    Thresholds.Shares(
      ffn: counters.ffn.dropped, query: counters.query?.dropped, key: counters.key?.dropped,
      value: counters.value?.dropped, output: counters.output?.dropped, full: counters.map(\.full))
  }
}

extension GradedInput {
  fileprivate var place: Thresholds.Place {
    switch self {
    case .query: .query
    case .key: .key
    case .value: .value
    case .output: .output
    }
  }
}

/// Counts grades, from any thread.
private final class GradeCounter: Sendable {
  private let counts = Mutex((dropped: 0, full: 0, seen: 0))

  var dropped: Double { counts.withLock { $0.seen == 0 ? 0 : Double($0.dropped) / Double($0.seen) } }
  var full: Double { counts.withLock { $0.seen == 0 ? 0 : Double($0.full) / Double($0.seen) } }

  func add(dropped: Int, full: Int, of seen: Int) {
    counts.withLock {
      $0.dropped += dropped
      $0.full += full
      $0.seen += seen
    }
  }
}
