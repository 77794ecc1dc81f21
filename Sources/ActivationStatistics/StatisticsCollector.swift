import LinearAlgebra
import Synchronization
import Transformer

/// Watches one layer while sequences go through it, and counts.
///
///     let collector = StatisticsCollector(widths, sinkPositions: 4, workers: 2)
///     try pass.run(weights.layer(3), index: 3, states, tap: collector)
///     let record = try collector.finish(layer: 3)
///
/// Each worker counts into memory of its own; sums are exact, so that the result does not depend on
/// which worker saw which sequence.
public final class StatisticsCollector: ActivationTap {
  private let sinkPositions: Int
  private let widths: LayerWidths
  private let workers: [Worker]
  /// Shared by all records, so that what is not counted takes no time.
  private let nothing: LayerStatistics
  private let offsets = Mutex<PlaneOffsets?>(nil)

  /// - Parameters:
  ///   - sinkPositions: Positions at the start of each sequence to count apart.
  ///   - workers: Threads that will call.
  public init(_ widths: LayerWidths, sinkPositions: Int, workers: Int) {
    self.sinkPositions = sinkPositions
    self.widths = widths
    self.workers = (0..<workers).map { _ in
      Worker(regular: Accumulators(widths), sinks: Accumulators(sinkPositions > 0 ? widths : .none))
    }
    nothing = LayerStatistics(widths)
  }

  public func attentionInput(_ x: Activations, _ context: TapContext) {
    count(x, \.attentionInput, context)
  }

  public func outputInput(_ x: Activations, _ context: TapContext) {
    count(x, \.outputInput, context)
  }

  public func ffnInput(_ x: Activations, _ context: TapContext) {
    count(x, \.ffnInput, context)
  }

  public func gateAndUp(_ gate: Activations, _ up: Activations, _ context: TapContext) {
    let worker = workers[context.worker]
    let first = min(sinkPositions, gate.tokens)
    if first > 0 { worker.sinks.factors.add(gate: gate.row(0), up: up.row(0), tokens: first) }
    guard first < gate.tokens else { return }
    worker.regular.factors.add(gate: gate.row(first), up: up.row(first), tokens: gate.tokens - first)
  }

  public var gradesProducts: Bool { widths.hasScores }

  /// Counts scores of the layer that is watched from now on with these added to the sums of its high planes.
  public func use(_ offsets: PlaneOffsets?) { self.offsets.withLock { $0 = offsets } }

  public func planeOffsets(layer: Int) -> PlaneOffsets? { offsets.withLock { $0 } }

  public func gradedProduct(_ x: Activations, half: Activations, _ context: TapContext) -> Bool {
    let worker = workers[context.worker]
    let first = min(sinkPositions, x.tokens)
    if first > 0 { worker.sinks.scores?.add(product: x.row(0), half: half.row(0), tokens: first) }
    if first < x.tokens {
      worker.regular.scores?.add(product: x.row(first), half: half.row(first), tokens: x.tokens - first)
    }
    return false
  }

  /// All that was counted since the last call, sinks beside the rest. The collector can then be used for another layer.
  ///
  /// - Throws: ``StatisticsError/unusableActivation(layer:)`` where an activation was not finite.
  /// - Complexity: O(workers · channels · bins).
  public func finish(layer: Int) throws(StatisticsError) -> LayerRecord {
    let parts: [@Sendable (Worker) -> Accumulators] = sinkPositions > 0 ? [\.regular, \.sinks] : [\.regular]
    // Nothing but what is unusable throws.
    let drained = try? mapIndices(below: parts.count, threads: workers.count) { try drain(parts[$0], layer: layer) }
    guard let drained else { throw .unusableActivation(layer: layer) }
    var record = LayerRecord(regular: drained[0], sinks: sinkPositions > 0 ? drained[1] : nothing)
    record.offsets = planeOffsets(layer: layer)
    return record
  }

  /// Adds up what all workers counted of one kind of position, which starts afresh.
  private func drain(_ part: (Worker) -> Accumulators, layer: Int) throws(StatisticsError) -> LayerStatistics {
    var total = nothing
    var factors = FactorTotals(channels: widths.intermediate)
    var usable = true
    for worker in workers {
      let accumulators = part(worker)
      accumulators.factors.drain(into: &factors)
      usable = accumulators.ffnInput.drain(into: &total.ffnInputCount) && usable
      usable = accumulators.attentionInput.drain(into: &total.attentionInputCount) && usable
      usable = accumulators.outputInput.drain(into: &total.outputInputCount) && usable
      if var scores = takeScores(of: &total) {
        usable = accumulators.scores?.drain(into: &scores) ?? true && usable
        total.scores = scores
      }
    }
    (total.gate, total.up, total.productCount) = (factors.gate, factors.up, factors.productCount)
    guard usable, !factors.sawUnusableNumber else { throw .unusableActivation(layer: layer) }
    return total
  }

  /// Leaves nothing behind, so that arrays are changed in place.
  private func takeScores(of total: inout LayerStatistics) -> ScoreStatistics? {
    defer { total.scores = nil }
    return total.scores
  }

  private func count(
    _ x: Activations, _ place: KeyPath<Accumulators, MagnitudeCounter> & Sendable, _ context: TapContext
  ) {
    let worker = workers[context.worker]
    let first = min(sinkPositions, x.tokens)
    if first > 0 { worker.sinks[keyPath: place].add(x.row(0), tokens: first) }
    guard first < x.tokens else { return }
    worker.regular[keyPath: place].add(x.row(first), tokens: x.tokens - first)
  }
}

/// What one thread counts into. No lock: calls with the same worker never overlap (`TapContext`).
private final class Worker: @unchecked Sendable {
  let regular: Accumulators
  let sinks: Accumulators

  init(regular: Accumulators, sinks: Accumulators) {
    self.regular = regular
    self.sinks = sinks
  }
}

private struct Accumulators {
  let factors: FactorAccumulator
  let ffnInput: MagnitudeCounter
  let attentionInput: MagnitudeCounter
  let outputInput: MagnitudeCounter
  let scores: ScoreAccumulator?

  init(_ widths: LayerWidths) {
    factors = FactorAccumulator(channels: widths.intermediate)
    ffnInput = MagnitudeCounter(channels: widths.hidden)
    attentionInput = MagnitudeCounter(channels: widths.hidden)
    outputInput = MagnitudeCounter(channels: widths.query)
    scores = widths.hasScores ? ScoreAccumulator(channels: widths.intermediate) : nil
  }
}
