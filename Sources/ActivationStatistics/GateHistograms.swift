import Transformer

/// The gate activations of one layer over a text: for each channel histograms of their magnitude, and of what share it is
/// of the greatest magnitude that the token has in the layer.
public struct GateHistograms: Sendable, Equatable {
  /// Of `|g|`, `[channels, bins]` in ``LogarithmicBins``.
  public var magnitudes: [Int64]
  /// Of `|g_c| / max |g|` of the same token, likewise. Where all of a token's gates are zero the ratios are, too.
  public var ratios: [Int64]

  /// - Precondition: Both are `[channels, bins]`.
  public init(magnitudes: [Int64], ratios: [Int64]) {
    precondition(magnitudes.count == ratios.count && magnitudes.count.isMultiple(of: LogarithmicBins.count))
    self.magnitudes = magnitudes
    self.ratios = ratios
  }

  public var channels: Int { magnitudes.count / LogarithmicBins.count }
}

/// Counts one layer's gate activations, whatever their position.
public final class GateHistogramTap: ActivationTap {
  private let workers: [Worker]

  /// - Parameter workers: Threads that will call.
  public init(channels: Int, workers: Int) {
    self.workers = (0..<workers).map { _ in Worker(channels: channels) }
  }

  public func gateAndUp(_ gate: Activations, _ up: Activations, _ context: TapContext) {
    workers[context.worker].add(gate)
  }

  /// All that was counted since the last call. The tap can then be used for another layer.
  ///
  /// - Throws: ``StatisticsError/unusableActivation(layer:)`` where an activation was not finite.
  public func finish(layer: Int) throws(StatisticsError) -> GateHistograms {
    let zeros = [Int64](repeating: 0, count: (workers.first?.magnitudes.channels ?? 0) * LogarithmicBins.count)
    var total = GateHistograms(magnitudes: zeros, ratios: zeros)
    var usable = true
    for worker in workers {
      usable = worker.magnitudes.drain(into: &total.magnitudes) && usable
      usable = worker.ratios.drain(into: &total.ratios) && usable
    }
    guard usable else { throw .unusableActivation(layer: layer) }
    return total
  }

  /// What one thread counts into. No lock: calls with the same worker never overlap (`TapContext`).
  private final class Worker: @unchecked Sendable {
    let magnitudes: MagnitudeCounter
    let ratios: MagnitudeCounter
    private var shares: [Float] = []  // [tokens, channels]

    init(channels: Int) {
      magnitudes = MagnitudeCounter(channels: channels)
      ratios = MagnitudeCounter(channels: channels)
    }

    func add(_ gate: Activations) {
      magnitudes.add(gate.row(0), tokens: gate.tokens)
      if shares.count < gate.tokens * gate.width {
        shares = [Float](repeating: 0, count: gate.tokens * gate.width)
      }
      for token in 0..<gate.tokens {
        let (values, first) = (gate.row(token), token * gate.width)
        var peak: Float = 0
        for channel in 0..<gate.width { peak = max(peak, values[channel].magnitude) }
        for channel in 0..<gate.width { shares[first + channel] = peak > 0 ? values[channel].magnitude / peak : 0 }
      }
      ratios.add(shares, tokens: gate.tokens)
    }
  }
}
