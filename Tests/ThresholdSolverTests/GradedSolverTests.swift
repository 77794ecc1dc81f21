import Checkpoints
import Files
import TestSupport
import Testing

@testable import ActivationStatistics
@testable import ThresholdSolver

struct GradedSolverTests {
  private let record: LayerRecord
  private let planes: PlaneErrors

  init() throws {
    let weights = try TinyModel.llama.inPlanes()
    record = try collectStatistics(weights, calibrationSequences(), sinkPositions: 0)[1]
    planes = PlaneErrors(try weights.layer(1), high: try #require(weights.highPlanes).layer(1))
  }

  /// No other pair of thresholds of any channel costs less at one price: every pair is tried.
  @Test(arguments: [0.4, 0.55, 0.7])
  func thresholdsOfAChannelCostLeast(_ bytesShare: Double) throws {
    let scores = try #require(record.all.scores)
    let thresholds = GradedProducts(scores, down: planes.down).thresholds(bytesShare: bytesShare)
    // Where thresholds lie between two bins says between which prices λ lies; one must serve all channels.
    var prices = (low: 0.0, high: Double.infinity)
    for channel in 0..<160 {
      let costs = costs(scores, channel)
      let own = costs(bin(thresholds.half[channel]), bin(thresholds.full[channel]))
      for first in 0...LogarithmicBins.count {
        for second in first...LogarithmicBins.count {
          let other = costs(first, second)
          // own.loss + λ own.bytes ≤ other.loss + λ other.bytes
          let (loss, bytes) = (own.loss - other.loss, other.bytes - own.bytes)
          if bytes > 0 { prices.low = max(prices.low, loss / bytes) }
          if bytes < 0 { prices.high = min(prices.high, loss / bytes) }
          if bytes == 0 { #expect(loss <= 1e-9 * max(own.loss, 1e-9)) }
        }
      }
    }
    #expect(prices.low <= prices.high * (1 + 1e-6))
  }

  /// Shares of bytes are met on the calibration text, within what one channel's bin is worth.
  @Test(arguments: [0.4, 0.55, 0.7, 0.9], [false, true])
  func bytesAreThoseAskedFor(_ bytesShare: Double, attention: Bool) throws {
    let request = try SolverRequest(
      method: .planes, attention: attention, sparsity: SolverRequest.sparsity(bytesShare: bytesShare))
    let layer = Thresholds.Layer.solve(record, [request], gateActivation: .silu, planes: planes)[0]
    let shares = layer.sharesDropped(record, gateActivation: .silu)
    let full = try #require(shares.full)
    let ffn = (2 + (1 - shares.ffn - full.ffn) + 4 * full.ffn) / 6
    #expect(abs(ffn - bytesShare) < 0.01)
    #expect((full.query != nil) == attention && (shares.value != nil) == attention)
    for place in [Thresholds.Place.query, .key, .value, .output] where attention {
      let (dropped, whole) = (try #require(shares[place]), try #require(full[place]))
      #expect(abs((1 - dropped + whole) / 2 - bytesShare) < 0.02, "\(place)")
    }
    let both = try #require(layer.full)
    #expect(zip(layer.ffn, both.ffn).allSatisfy { $0 <= $1 })
  }

  /// The three costs of an input cross at its thresholds.
  @Test func inputsAreGradedWhereCostsCross() {
    let columns = planes.query
    let thresholds = GradedInputs(record.all.attentionInputCount, columns).thresholds(bytesShare: 0.5)
    let prices = columns.squares.indices.map { input in
      let (square, error) = (columns.squares[input], columns.errors[input])
      let (half, full) = (Double(thresholds.half[input]), Double(thresholds.full[input]))
      let price = half * half * (square - error)
      #expect(abs(full * full * error - price) < 1e-5 * price)
      return price
    }
    #expect(prices.allSatisfy { abs($0 - prices[0]) < 1e-5 * prices[0] })
  }

  @Test func everythingIsReadWhereAllBytesMay() throws {
    let request = try SolverRequest(method: .planes, attention: true, sparsity: 0)
    let layer = Thresholds.Layer.solve(record, [request], gateActivation: .silu, planes: planes)[0]
    let shares = layer.sharesDropped(record, gateActivation: .silu)
    #expect(shares.full?.query == 1 && shares.full?.output == 1 && shares.full?.ffn == 1)
  }

  @Test func tooFewBytesAreRefused() {
    #expect(throws: SolverError.tooFewBytes(1 - 0.7)) {
      try SolverRequest(method: .planes, attention: false, sparsity: 0.7)
    }
    #expect(throws: SolverError.noSource(.planes)) {
      try SolverRequest(method: .planes, source: .gate, attention: false, sparsity: 0.5)
    }
    #expect(throws: SolverError.noCuts(.planes)) {
      try SolverRequest(method: .planes, secondCut: 0.1, attention: false, sparsity: 0.5)
    }
  }

  @Test(arguments: [false, true])
  func thresholdsSurviveTheirFile(_ attention: Bool) throws {
    let request = try SolverRequest(method: .planes, attention: attention, sparsity: 0.45)
    let layer = Thresholds.Layer.solve(record, [request], gateActivation: .silu, planes: planes)[0]
    let shares = layer.sharesDropped(record, gateActivation: .silu)
    let thresholds = Thresholds(
      request: request, planes: .int8, layers: [layer, layer, layer], realised: shares, modelHash: "m", corpusHash: "c",
      statisticsHash: "s")
    let folder = TemporaryFolder()
    try writeAtomically(thresholds.encoded(), to: folder.path("t.safetensors"))
    #expect(try Thresholds(SafetensorsFile(path: folder.path("t.safetensors"))) == thresholds)
    let configuration = try TinyModel.llama.open().configuration
    try thresholds.check(configuration)

    var crossed = thresholds
    crossed.layers[1].full?.ffn[3] = -1
    #expect(throws: SolverError.self) { try crossed.check(configuration) }
    var missing = thresholds
    missing.layers[2].full = nil
    #expect(throws: SolverError.self) { try missing.check(configuration) }
  }

  /// The loss of a channel whose bins are dropped up to the first number and full from the second on, and the planes of
  /// rows that it reads beyond the two that are always read.
  private func costs(_ scores: ScoreStatistics, _ channel: Int) -> (Int, Int) -> (loss: Double, bytes: Double) {
    let bins = LogarithmicBins.count
    let cells = channel * bins..<(channel + 1) * bins
    let rounding = planes.down.errors[channel] / planes.down.squares[channel]
    func unitsToOne(_ units: ArraySlice<Int128>) -> [Double] { units.map { Double($0) * 0x1p-40 } }
    let (tokens, energy) = (scores.count[cells].map(Double.init), unitsToOne(scores.energy.units[cells]))
    let error = unitsToOne(scores.error.units[cells]).enumerated().map { bin, error in
      let low = LogarithmicBins.edges[bin]
      let centre = bin == bins - 1 ? 1.5 * low : (low + LogarithmicBins.edges[bin + 1]) / 2
      return error + rounding * tokens[bin] * centre * centre
    }
    func below(_ values: [Double]) -> [Double] { values.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) } }
    let (dropped, half, seen) = (below(energy), below(error), below(tokens))
    return { first, second in
      (
        dropped[first] + half[second] - half[first],
        seen[second] - seen[first] + 4 * (seen[bins] - seen[second])
      )
    }
  }

  /// The bin that begins at a threshold.
  private func bin(_ threshold: Float) -> Int {
    threshold == .infinity ? LogarithmicBins.count : LogarithmicBins.bin(of: threshold)
  }
}
