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

  public func product(_ x: Activations, _ context: TapContext) {
    count(x, \.product, context)
  }

  public func gateAndUp(_ gate: Activations, _ up: Activations, _ context: TapContext) {
    let worker = workers[context.worker]
    let first = min(sinkPositions, gate.tokens)
    worker.sinks?.factors.add(gate: gate.row(0), up: up.row(0), tokens: first)
    guard first < gate.tokens else { return }
    worker.regular.factors.add(gate: gate.row(first), up: up.row(first), tokens: gate.tokens - first)
  }

  /// All that was counted. The collector must not be used afterwards.
  ///
  /// - Throws: ``StatisticsError/unusableActivation(layer:)`` where an activation was not finite.
  public func finish(layer: Int) throws(StatisticsError) -> LayerRecord {
    var record = LayerRecord(widths)
    var usable = true
    for worker in workers {
      record.regular += worker.regular.statistics(widths)
      usable = usable && !worker.regular.sawUnusableNumber
      if let sinks = worker.sinks {
        record.sinks += sinks.statistics(widths)
        usable = usable && !sinks.sawUnusableNumber
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
  var product: MagnitudeCounter
  var ffnInput: MagnitudeCounter
  var attentionInput: MagnitudeCounter
  var outputInput: MagnitudeCounter

  init(_ widths: LayerWidths) {
    factors = FactorAccumulator(channels: widths.intermediate)
    product = MagnitudeCounter(channels: widths.intermediate)
    ffnInput = MagnitudeCounter(channels: widths.hidden)
    attentionInput = MagnitudeCounter(channels: widths.hidden)
    outputInput = MagnitudeCounter(channels: widths.query)
  }

  var sawUnusableNumber: Bool {
    factors.sawUnusableNumber || product.sawUnusableNumber || ffnInput.sawUnusableNumber
      || attentionInput.sawUnusableNumber || outputInput.sawUnusableNumber
  }

  func statistics(_ widths: LayerWidths) -> LayerStatistics {
    var statistics = LayerStatistics(widths)
    (statistics.gate, statistics.up) = factors.finish()
    statistics.productCount = product.counts
    statistics.ffnInputCount = ffnInput.counts
    statistics.attentionInputCount = attentionInput.counts
    statistics.outputInputCount = outputInput.counts
    return statistics
  }
}
