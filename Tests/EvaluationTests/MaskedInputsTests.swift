import Checkpoints
import Evaluation
import TestSupport
import Testing
import ThresholdSolver

/// Every projection's own input masked, beside numpy.
struct MaskedInputsTests {
  @Test(arguments: ["magnitude", "wina"])
  func logitsAreNumpysUnderTheSameMasks(_ method: String) throws {
    let oracle = try SharedFixtures.safetensors("statistics/inputs.safetensors")
    let ids = try oracle.integers(of: "masked.ids")
    let taps = try (0..<3).map { layer in
      func thresholds(_ place: String) throws -> [Float] {
        try oracle.values(of: "masked.\(method).layers.\(layer).\(place)")
      }
      return ThresholdTap(
        Thresholds.Layer(
          ffn: [Float](repeating: 0, count: 160), query: try thresholds("query"), key: try thresholds("key"),
          value: try thresholds("value"), output: try thresholds("output"), product: try thresholds("down"),
          input: try thresholds("gate"), otherInput: try thresholds("up")))
    }
    let weights = try TinyModel.llama.open().weights
    let logits = try logits(weights, [ids], tap: { taps[$0] })[0]
    let expected = try oracle.values(of: "masked.\(method).logits")
    #expect(logits.count == expected.count)
    #expect(zip(logits, expected).allSatisfy { ($0 - $1).magnitude < 1e-3 })
    for (layer, tap) in taps.enumerated() {
      let shares = tap.shares
      for (place, share) in [
        ("query", shares.query), ("key", shares.key), ("value", shares.value), ("output", shares.output),
        ("gate", shares.input), ("up", shares.otherInput), ("down", shares.down),
      ] {
        let counted = oracle.doubles(of: "masked.\(method).layers.\(layer).\(place).share")[0]
        #expect(((share ?? .nan) - counted).magnitude < 1e-9, "layer \(layer), \(place)")
      }
    }
  }

  /// Thresholds of 0 keep everything.
  @Test(arguments: TinyModel.allCases)
  func nothingDroppedIsTheDenseModel(_ model: TinyModel) throws {
    let checkpoint = try model.open()
    let layer = Thresholds.Layer(
      ffn: [Float](repeating: 0, count: checkpoint.configuration.intermediateSize), query: [0], key: [0], value: [0],
      output: [0], product: [0], input: [0], otherInput: [0])
    let oracle = try model.oracle()
    let masked = try logits(checkpoint.weights, oracle.sequences, tap: { _ in ThresholdTap(layer) })
    #expect(masked == (try logits(checkpoint.weights, oracle.sequences)))
  }

  /// Places are reported by themselves.
  @Test func driftSeesEveryPlace() throws {
    let checkpoint = try TinyModel.llama.open()
    let thresholds = try checkpoint.someInputThresholds()
    let shares = try ThresholdWalk(checkpoint.weights, threads: 1).run(TinyModel.llama.oracle().sequences, thresholds)
      .shares
    let drift = Drift(realised: shares, calibration: thresholds.realised, layers: nil, tolerance: 0.3)
    #expect(drift.places.map(\.place) == Thresholds.Place.allCases)
    #expect(drift.places.filter { $0.place != .ffn }.allSatisfy { $0.realised > 0.2 && $0.realised < 0.8 })
  }
}
