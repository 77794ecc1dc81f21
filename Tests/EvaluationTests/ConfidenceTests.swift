import ActivationStatistics
import Foundation
import TestSupport
import Testing
import ThresholdSolver

@testable import Evaluation

struct ConfidenceTests {
  /// Numpy's from histograms of its own in the same bins: what is left is the rounding of activations.
  @Test func errorsAreNumpysFromTheSameBins() throws {
    let oracle = try SharedFixtures.safetensors("statistics/confidence.safetensors")
    let confidence = try confidence(SolverRequest(method: .chess, source: .up, attention: true, sparsity: 0.5))
    for (index, layer) in confidence.layers.enumerated() {
      #expect(layer.places.map(\.place) == [.ffn, .query, .output])
      for (place, name) in zip(layer.places, ["up", "query", "output"]) {
        func expected(_ value: String) -> [Double] { oracle.doubles(of: "layers.\(index).\(name).\(value)") }
        func agree(_ found: [Double], _ exact: [Double], within tolerance: Double) -> Bool {
          found.count == exact.count && zip(found, exact).allSatisfy { ($0 / $1 - 1).magnitude < tolerance }
        }
        #expect(agree(place.heldOut, expected("held_out"), within: 1e-6), "layer \(index), \(name)")
        #expect(agree([place.shareError], expected("share_error"), within: 1e-4), "layer \(index), \(name)")
        #expect(agree(place.thresholdErrors, expected("threshold_errors"), within: 1e-4), "layer \(index), \(name)")
      }
    }
  }

  /// What bins cost: this oracle has none. One threshold for all channels lies in a single bin, whose values are not quite
  /// as evenly spread as is assumed; thresholds of a channel each lie in many, and what is off is so by chance.
  @Test(arguments: [(SolverRequest.Method.cats, 0.005, 0.2, 0.2), (.chess, 0.0015, 0.15, 0.02)])
  func errorsAreThoseOfTheRawActivations(
    _ method: SolverRequest.Method, shareTolerance: Double, shareErrorTolerance: Double, thresholdErrorTolerance: Double
  ) throws {
    let oracle = try SharedFixtures.safetensors("statistics/confidence.safetensors")
    let confidence = try confidence(SolverRequest(method: method, attention: false, sparsity: 0.5))
    for (index, layer) in confidence.layers.enumerated() {
      func expected(_ name: String) -> [Double] { oracle.doubles(of: "layers.\(index).\(method.rawValue).\(name)") }
      let place = layer.places[0]
      #expect(layer.places.count == 1 && place.place == .ffn && place.thresholdErrors.count == 160)
      for (share, exact) in zip(place.heldOut, expected("held_out")) {
        #expect((share - exact).magnitude < shareTolerance)
      }
      let threshold = try #require(place.typicalThresholdError)
      #expect((place.shareError / expected("share_error")[0] - 1).magnitude < shareErrorTolerance, "layer \(index)")
      let exact = try #require(expected("threshold_errors").quantile(0.5))
      #expect((threshold / exact - 1).magnitude < thresholdErrorTolerance, "layer \(index)")
    }
  }

  /// Every place is solved from the same shards by brute force.
  @Test func everyPlaceIsMeasuredOnTextThatWasLeftOut() throws {
    let request = try SolverRequest(method: .energy, attention: true, sparsity: 0.5)
    let records = try shards()
    let layer = try confidence(request).layers[1]
    #expect(layer.places.map(\.place) == [.ffn, .down, .input, .query, .output])
    for left in records.indices {
      var rest = records[left == 0 ? 1 : 0][1]
      for other in records.indices.dropFirst(left == 0 ? 2 : 1) where other != left { rest += records[other][1] }
      let shares = Thresholds.Layer(rest, request, gateActivation: .silu)
        .sharesDropped(records[left][1], gateActivation: .silu)
      #expect(
        layer.places.map { $0.heldOut[left] }
          == [shares.ffn, shares.down, shares.input, shares.query, shares.output].map { $0 ?? .nan })
    }
  }

  /// A channel that the gate decides for some shards and the up projection for others has no threshold to compare.
  @Test func channelsThatChangeTheirSourceAreNotCompared() throws {
    let request = try SolverRequest(method: .energy, attention: false, sparsity: 0.5)
    let place = try confidence(request).places[0]
    #expect(place.thresholdErrors.count < place.thresholdCount && place.thresholdCount == 3 * 160)
    #expect(place.thresholdErrors.allSatisfy { $0 > 0 && $0 < 1 })
  }

  @Test func layersThatDifferInOppositeWaysAreNoSurpriseOnAverage() throws {
    let confidence = try confidence(SolverRequest(method: .chess, attention: true, sparsity: 0.5))
    for place in confidence.places {
      let layers = place.layerShareErrors
      let worst = try #require(layers.last)
      #expect(layers.count == 3 && layers == layers.sorted())
      #expect(place.shareError <= worst && place.shareError > 0)
      #expect(worst <= confidence.largestShareError)
      let medians = confidence.layers.compactMap { layer in
        layer.places.first { $0.place == place.place }?.thresholdErrors.quantile(0.5)
      }
      #expect(place.layerThresholdErrors == medians.sorted() && medians.count == 3)
      #expect(medians.allSatisfy { $0 <= confidence.largestThresholdError })
    }
  }

  /// The calibration tokens of the oracle, cut as it cuts them: `[shards][layers]`.
  private func shards() throws -> [[LayerRecord]] {
    let weights = try TinyModel.llama.open().weights
    let sequences = try calibrationSequences()
    return try [0..<3, 3..<6, 6..<10, 10..<16].map {
      try collectStatistics(weights, Array(sequences[$0]), sinkPositions: 0)
    }
  }

  private func confidence(_ request: SolverRequest) throws -> Confidence {
    let records = try shards()
    let jackknife = Jackknife(tokens: [192, 192, 256, 384])
    let layers = (0..<3).map { layer in
      LayerConfidence(records.map { $0[layer] }, jackknife, request, gateActivation: .silu)
    }
    return Confidence(layers, jackknife)
  }
}

struct JackknifeTests {
  @Test func equalShardsGiveTheTextbookError() throws {
    let oracle = try SharedFixtures.safetensors("statistics/confidence.safetensors")
    let shards = oracle.doubles(of: "values").split(into: 6)
    func statistic(_ values: [Double]) -> Double {
      log((values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot())
    }
    let whole = statistic(Array(shards.joined()))
    let changes = shards.indices.map { left in
      statistic(shards.indices.filter { $0 != left }.flatMap { shards[$0] }) - whole
    }
    let error = Jackknife(tokens: shards.map(\.count)).standardError(changes: changes)
    #expect((error / oracle.doubles(of: "rms_error")[0] - 1).magnitude < 1e-12)
  }

  /// Over many texts of independent tokens, the variance of their mean is met on average, by either form.
  @Test func unequalShardsAreWithoutBias() {
    let tokens = [10, 20, 30, 140]
    let jackknife = Jackknife(tokens: tokens)
    var numbers = RandomNumbers(seed: 5)
    var squares = 0.0
    let trials = 4000
    for _ in 0..<trials {
      let sums = tokens.map { count in numbers.normals(count).reduce(0) { $0 + Double($1) } }
      let (total, count) = (sums.reduce(0, +), Double(tokens.reduce(0, +)))
      let without = zip(sums, tokens).map { (total - $0) / (count - Double($1)) }
      let changes = without.map { $0 - total / count }
      let surprises = zip(zip(sums, tokens), without).map { $0.0 / Double($0.1) - $1 }
      let error = jackknife.standardError(changes: changes)
      #expect((error - jackknife.standardError(surprises: surprises)).magnitude < 1e-12)
      squares += error * error
    }
    // 200 tokens of variance 1. With these weights the mean of so many estimates is known to about 2%.
    #expect((squares / Double(trials) * 200 - 1).magnitude < 0.04)
  }

  @Test(arguments: [(0.5, 2.0), (0.9, 4), (0.25, 1), (1, 4), (0, 1)])
  func quantiles(share: Double, expected: Double) { #expect([1.0, 2, 3, 4].quantile(share) == expected) }

  @Test func nothingHasNoQuantile() { #expect([Double]().quantile(0.5) == nil) }
}
