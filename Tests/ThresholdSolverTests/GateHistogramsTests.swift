import ActivationStatistics
import TestSupport
import Testing
import ThresholdSolver

struct GateHistogramsTests {
  private static let (tokens, channels) = (4000, 5)
  /// Each token has a scale of its own, so that magnitudes and ratios tell different things.
  private let gates: [[Float]]
  private let histograms: GateHistograms

  init() {
    var random = RandomNumbers(seed: 7)
    gates = (0..<Self.tokens).map { _ in
      let scale = Float(0.2 + abs(random.normal()))
      return random.normals(Self.channels).enumerated().map { scale * Float($0 + 1) * $1 }
    }
    let zeros = [Int64](repeating: 0, count: Self.channels * LogarithmicBins.count)
    var counted = GateHistograms(magnitudes: zeros, ratios: zeros)
    for gate in gates {
      for channel in gate.indices {
        let row = channel * LogarithmicBins.count
        counted.magnitudes[row + LogarithmicBins.bin(of: gate[channel])] += 1
        counted.ratios[row + LogarithmicBins.bin(of: gate[channel].magnitude / Self.peak(gate))] += 1
      }
    }
    histograms = counted
  }

  private static func peak(_ gate: [Float]) -> Float { gate.map(\.magnitude).max() ?? 0 }

  private func shareKept(_ channel: Int, by keeps: ([Float]) -> Bool) -> Double {
    Double(gates.count(where: keeps)) / Double(Self.tokens)
  }

  @Test(arguments: [Float(0.05), 0.4, 1.5])
  func ratiosKeepAsOftenAsMagnitudes(_ threshold: Float) {
    let ratios = histograms.ratios(keepingAsOftenAs: [Float](repeating: threshold, count: Self.channels), .geluTanh)
    for channel in 0..<Self.channels {
      let wanted = shareKept(channel) { $0[channel].magnitude >= threshold }
      let found = shareKept(channel) { $0[channel].magnitude >= ratios[channel] * Self.peak($0) }
      #expect(abs(wanted - found) < 0.01, "channel \(channel)")
    }
  }

  @Test func thereAndBackIsTheSame() {
    let thresholds: [Float] = [0.1, 0.3, 0.9, 0, .infinity]
    let back = histograms.magnitudes(
      keepingAsOftenAs: histograms.ratios(keepingAsOftenAs: thresholds, .geluTanh), .geluTanh)
    for (a, b) in zip(thresholds, back) { #expect(a == b || abs(a - b) < 0.001 * a) }
  }

  /// A channel that the text never kept is not dropped for good, and one that is always the greatest is kept at 1.
  @Test func finiteThresholdsStayFinite() {
    let ratios = histograms.ratios(keepingAsOftenAs: [1000, .infinity, 0, 1e-9, 50], .geluTanh)
    #expect(ratios[1] == .infinity && ratios[0] <= 1 && ratios[4] <= 1)
    let magnitudes = histograms.magnitudes(keepingAsOftenAs: [1, .infinity, 1, 1, 1], .geluTanh)
    for channel in [0, 2, 3, 4] {
      let most = gates.map { $0[channel].magnitude }.max() ?? 0
      #expect(magnitudes[channel] < .infinity && magnitudes[channel] <= 1.2 * most)
    }
  }

  @Test func catsDropsItsShareOfAllChannels() {
    let threshold = histograms.catsThreshold(sparsity: 0.3, .geluTanh)
    let dropped = gates.joined().count { $0.magnitude < threshold }
    #expect(abs(Double(dropped) / Double(Self.tokens * Self.channels) - 0.3) < 0.005)
  }
}
