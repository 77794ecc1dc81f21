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

  /// - Parameters:
  ///   - sinkPositions: Positions at the start of each sequence to count apart.
  ///   - workers: Threads that will call.
  public init(_ widths: LayerWidths, sinkPositions: Int, workers: Int) {
    self.sinkPositions = sinkPositions
    self.widths = widths
    self.workers = (0..<workers).map { _ in
      Worker(regular: Accumulators(widths), sinks: sinkPositions > 0 ? Accumulators(widths) : nil)
    }
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
    worker.sinks?.factors.add(gate: gate.row(0), up: up.row(0), tokens: first)
    guard first < gate.tokens else { return }
    worker.regular.factors.add(gate: gate.row(first), up: up.row(first), tokens: gate.tokens - first)
  }

  /// All that was counted since the last call. The collector can then be used for another layer.
  ///
  /// - Throws: ``StatisticsError/unusableActivation(layer:)`` where an activation was not finite.
  /// - Complexity: O(workers · channels · bins).
  public func finish(layer: Int) throws(StatisticsError) -> LayerRecord {
    var record = LayerRecord(widths)
    var usable = true
    for (index, worker) in workers.enumerated() {
      usable = worker.regular.drain(into: &record.regular, replacing: index == 0) && usable
      if worker.sinks != nil {
        usable = (worker.sinks?.drain(into: &record.sinks, replacing: index == 0) ?? true) && usable
      }
    }
    guard usable else { throw .unusableActivation(layer: layer) }
    return record
  }

  private func count(
    _ x: Activations, _ place: WritableKeyPath<Accumulators, MagnitudeCounter> & Sendable, _ context: TapContext
  ) {
    let worker = workers[context.worker]
    let first = min(sinkPositions, x.tokens)
    worker.sinks?[keyPath: place].add(x.row(0), tokens: first)
    guard first < x.tokens else { return }
    worker.regular[keyPath: place].add(x.row(first), tokens: x.tokens - first)
  }
}

/// What one thread counts into. No lock: calls with the same worker never overlap (`TapContext`).
private final class Worker: @unchecked Sendable {
  var regular: Accumulators
  var sinks: Accumulators?

  init(regular: Accumulators, sinks: Accumulators?) {
    self.regular = regular
    self.sinks = sinks
  }
}

private struct Accumulators {
  let factors: FactorAccumulator
  var ffnInput: MagnitudeCounter
  var attentionInput: MagnitudeCounter
  var outputInput: MagnitudeCounter

  init(_ widths: LayerWidths) {
    factors = FactorAccumulator(channels: widths.intermediate)
    ffnInput = MagnitudeCounter(channels: widths.hidden)
    attentionInput = MagnitudeCounter(channels: widths.hidden)
    outputInput = MagnitudeCounter(channels: widths.query)
  }

  /// Adds what was counted to `total`, or puts it there where nothing was counted before, and starts
  /// afresh. Returns whether all numbers could be counted.
  mutating func drain(into total: inout LayerStatistics, replacing: Bool) -> Bool {
    let counted = factors.finish()
    if replacing {
      (total.gate, total.up, total.productCount) = (counted.gate, counted.up, counted.productCount)
    } else {
      total.add(counted)
    }
    let counters = [
      ffnInput.drain(into: &total.ffnInputCount), attentionInput.drain(into: &total.attentionInputCount),
      outputInput.drain(into: &total.outputInputCount),
    ]
    return counters.allSatisfy { $0 } && !counted.sawUnusableNumber
  }
}
