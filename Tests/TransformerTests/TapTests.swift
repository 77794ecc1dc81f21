import Checkpoints
import LinearAlgebra
import TestSupport
import Testing
import Transformer

struct TapTests {
  /// `activations.safetensors` holds what hooks in `transformers` saw at the first positions.
  @Test(arguments: RecordingTap.Place.allCases.filter { $0 != .product && $0 != .layerOutput }, 0..<3)
  func tapsSeeWhatHooksSawInTransformers(_ place: RecordingTap.Place, layer: Int) throws {
    let tap = RecordingTap()
    let ids = try TinyModel.llama.oracle().sequences
    _ = try logits(TinyModel.llama.open().weights, ids, tap: { _ in tap })
    let expected = try SharedFixtures.safetensors("models/llama/activations.safetensors")
      .values(of: "layers.\(layer).\(place.rawValue)")
    let seen = tap.values(place, layer: layer, sequence: 0).prefix(expected.count)
    #expect(!expected.isEmpty && seen.count == expected.count)
    #expect(zip(seen, expected).allSatisfy { ($0 - $1).magnitude < 2e-5 })
  }

  @Test func productIsThatOfGateAndUp() throws {
    let tap = RecordingTap()
    _ = try logits(TinyModel.qwen3.open().weights, TinyModel.qwen3.oracle().sequences, tap: { _ in tap })
    let gate = tap.values(.gate, layer: 1, sequence: 1)
    let up = tap.values(.up, layer: 1, sequence: 1)
    #expect(tap.values(.product, layer: 1, sequence: 1) == zip(gate, up).map { $0 * $1 })
  }

  /// With its input masked, only the query projection computes something else: as if its weights were 0.
  @Test(arguments: TinyModel.allCases)
  func maskedQueryInputIsTheQueryProjectionsAlone(_ model: TinyModel) throws {
    struct NoQuery: ActivationTap {
      let masksQueryInput = true
      let seen: RecordingTap

      func queryInput(_ x: Activations, _ context: TapContext) {
        for token in 0..<x.tokens { for channel in 0..<x.width { x[token, channel] = 0 } }
      }
      func attentionInput(_ x: Activations, _ context: TapContext) { seen.attentionInput(x, context) }
      func outputInput(_ x: Activations, _ context: TapContext) { seen.outputInput(x, context) }
    }
    let weights = try model.open().weights
    let ids = try model.oracle().sequences
    let masked = RecordingTap()
    try runFirstLayer(weights, ids, tap: NoQuery(seen: masked))
    let expected = RecordingTap()
    try runFirstLayer(weights, ids, tap: expected) { layer in
      layer.query = Matrix(rows: layer.query.rows, columns: layer.query.columns)
    }
    for place in [RecordingTap.Place.attentionInput, .outputInput] {
      #expect(masked.values(place, layer: 0, sequence: 0) == expected.values(place, layer: 0, sequence: 0))
    }
  }

  @Test func writingToATapChangesWhatFollows() throws {
    struct NoFeedForward: ActivationTap {
      func product(_ x: Activations, _ context: TapContext) {
        for token in 0..<x.tokens { for channel in 0..<x.width { x[token, channel] = 0 } }
      }
    }
    let weights = try TinyModel.llama.open().weights
    let ids = try TinyModel.llama.oracle().sequences
    let masked = try runFirstLayer(weights, ids, tap: NoFeedForward())
    let expected = try runFirstLayer(weights, ids, tap: DenseTap()) { layer in
      layer.down = Matrix(rows: layer.down.rows, columns: layer.down.columns)
    }
    #expect(masked == expected)
  }

  @Test(arguments: TinyModel.allCases)
  func layerOutputIsWhatTheNextLayerReads(_ model: TinyModel) throws {
    struct Adding: ActivationTap {
      let seen: RecordingTap

      func layerOutput(_ x: Activations, _ context: TapContext) {
        seen.layerOutput(x, context)
        for token in 0..<x.tokens { x[token, 3] += 1 }
      }
    }
    let (weights, ids) = (try model.open().weights, try model.oracle().sequences)
    let plain = try runFirstLayer(weights, ids, tap: DenseTap())
    let seen = RecordingTap()
    let changed = try runFirstLayer(weights, ids, tap: Adding(seen: seen))
    for index in ids.indices {
      #expect(seen.values(.layerOutput, layer: 0, sequence: index) == plain[index])
      let width = weights.configuration.hiddenSize
      #expect(changed[index] == plain[index].enumerated().map { $0 % width == 3 ? $1 + 1 : $1 })
    }
  }

  @Test func errorOfATapEndsTheRun() throws {
    struct Failing: ActivationTap {
      struct Stop: Error {}
      func ffnInput(_ x: Activations, _ context: TapContext) throws { throw Stop() }
    }
    let weights = try TinyModel.llama.open().weights
    #expect(throws: Failing.Stop.self) { try runFirstLayer(weights, [[1, 2]], tap: Failing()) }
  }
}

/// The hidden states after layer 0, sequence by sequence.
@discardableResult
func runFirstLayer(
  _ weights: any WeightSource, _ sequences: [[Int32]], configuration: ModelConfiguration? = nil,
  tap: some ActivationTap, change: (inout LayerWeights) -> Void = { _ in }
) throws -> [[Float]] {
  let pass = ForwardPass(
    configuration ?? weights.configuration, longest: sequences.map(\.count).max() ?? 0, threads: 1)
  let states = try pass.embed(sequences, weights)
  var layer = try weights.layer(0)
  change(&layer)
  try pass.run(layer, index: 0, states, tap: tap)
  return try sequences.indices.map { try states.sequence($0).values }
}
