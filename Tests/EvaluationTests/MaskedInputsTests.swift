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
    let taps = try (0..<3).map { ThresholdTap(try thresholds(oracle, method, layer: $0)) }
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

  /// Each layer masked alone, on what the dense layers before it give.
  @Test(arguments: ["magnitude", "wina"])
  func layersOutputsErrAsNumpysDo(_ method: String) throws {
    let oracle = try SharedFixtures.safetensors("statistics/inputs.safetensors")
    var errors: [Double] = []
    try LayerErrorWalk(TinyModel.llama.open().weights, threads: 2).run([oracle.integers(of: "masked.ids")]) { trial in
      let whole = Thresholds.Layer(inputs: [:], intermediateSize: 160)
      #expect(try trial.error(whole) == 0)
      errors.append(try trial.error(thresholds(oracle, method, layer: trial.index)))
    }
    let expected = (0..<3).flatMap { oracle.doubles(of: "masked.\(method).layers.\($0).error") }
    #expect(expected.count == 3 && errors.count == 3)
    #expect(zip(errors, expected).allSatisfy { ($0 / $1 - 1).magnitude < 1e-5 }, "\(errors), numpy's \(expected)")
  }

  private func thresholds(_ oracle: SafetensorsFile, _ method: String, layer: Int) throws -> Thresholds.Layer {
    let names: [(Thresholds.Place, String)] = [
      (.query, "query"), (.key, "key"), (.value, "value"), (.output, "output"), (.input, "gate"), (.otherInput, "up"),
      (.down, "down"),
    ]
    let inputs = try names.map { ($0, try oracle.values(of: "masked.\(method).layers.\(layer).\($1)")) }
    return Thresholds.Layer(inputs: Dictionary(uniqueKeysWithValues: inputs), intermediateSize: 160)
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
