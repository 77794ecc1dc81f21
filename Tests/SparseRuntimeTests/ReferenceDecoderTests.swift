import Checkpoints
import LinearAlgebra
import SparseBundle
import SparseRuntime
import TestSupport
import Testing

struct ReferenceDecoderTests {
  /// Two implementations that share no arithmetic agree up to rounding.
  static let tolerance: Float = 2e-5

  let folder = TemporaryFolder()

  @Test(arguments: TinyModel.allCases)
  func denseLogitsAreThoseOfTransformers(_ model: TinyModel) throws {
    let oracle = try model.oracle()
    try model.open().writeBundle(to: folder.path("bundle"), .f32, [[1, 2]])
    let loaded = try SparseModel(ModelBundle(path: folder.path("bundle")))
    for (tokens, expected) in zip(oracle.sequences, oracle.logits) {
      var decoder = ReferenceDecoder(loaded, capacity: tokens.count)
      let logits = tokens.flatMap { decoder.step($0, .dense) }
      #expect(greatestDifference(logits, expected) < Self.tolerance)
      #expect(decoder.position == tokens.count)
    }
  }

  @Test(arguments: TinyModel.allCases, [false, true])
  func sparseLogitsAreThoseOfTheMaskedForwardPass(_ model: TinyModel, attention: Bool) throws {
    let tokens = try model.oracle().sequences[0]
    let checkpoint = try model.open()
    let golden = try checkpoint.writeBundle(to: folder.path("bundle"), .f32, [tokens], attention: attention).texts[0]
    let loaded = try SparseModel(ModelBundle(path: folder.path("bundle")))

    var byThresholds = ReferenceDecoder(loaded, capacity: tokens.count)
    let decided = tokens.flatMap { byThresholds.step($0, .thresholds) }
    var byRecord = ReferenceDecoder(loaded, capacity: tokens.count)
    let recorded = zip(tokens, golden.kept).flatMap { byRecord.step($0, .recorded($1)) }

    #expect(greatestDifference(recorded, golden.sparse) < Self.tolerance)
    #expect(byRecord.disagreements.allSatisfy { $0.margin < GoldenReplay.tieMargin })
    // Thresholds give the same wherever no magnitude is so near that rounding decides.
    guard byRecord.disagreements.isEmpty else { return }
    #expect(decided == recorded)
    let kept = Array(golden.kept.joined())
    func count(_ place: (KeptChannels) -> [Bool]?) -> Int { kept.reduce(0) { $0 + (place($1) ?? []).count { $0 } } }
    #expect(byThresholds.decided.ffn.kept == count(\.ffn))
    #expect(byThresholds.decided.ffn.seen == kept.reduce(0) { $0 + $1.ffn.count })
    guard attention else { return }
    #expect(byThresholds.decided.query.kept == count(\.query))
    #expect(byThresholds.decided.output.kept == count(\.output))
  }

  @Test func recordedDecisionIsObeyedAndItsDisagreementNoted() throws {
    let golden = try TinyModel.llama.open().writeBundle(to: folder.path("bundle"), .f32, [[1, 2]]).texts[0]
    let loaded = try SparseModel(ModelBundle(path: folder.path("bundle")))
    var kept = golden.kept[0]
    kept[2].ffn[7].toggle()  // of the last layer, after which nothing is decided
    var decoder = ReferenceDecoder(loaded, capacity: 1)
    let logits = decoder.step(1, .recorded(kept))
    #expect(decoder.disagreements.map(\.layer) == [2] && decoder.disagreements.map(\.channel) == [7])
    var plain = ReferenceDecoder(loaded, capacity: 1)
    #expect(plain.step(1, .recorded(golden.kept[0])) != logits)
  }

  @Test func slidingWindowForgetsAsTheForwardPassDoes() throws {
    let checkpoint = try TinyModel.llama.open()
    try checkpoint.writeBundle(to: folder.path("bundle"), .f32, [[1, 2]])
    var loaded = try SparseModel(ModelBundle(path: folder.path("bundle")))
    loaded.configuration.slidingWindow = 5
    let tokens = try TinyModel.llama.oracle().sequences[0]
    let expected = try logits(Windowed(base: checkpoint.weights, window: 5), [tokens])[0]
    var decoder = ReferenceDecoder(loaded, capacity: tokens.count)
    #expect(greatestDifference(tokens.flatMap { decoder.step($0, .dense) }, expected) < Self.tolerance)
  }
}

/// A model whose attention is cut short.
private struct Windowed: WeightSource {
  let base: any WeightSource
  let window: Int

  var configuration: ModelConfiguration {
    var configuration = base.configuration
    configuration.slidingWindow = window
    return configuration
  }

  func layer(_ index: Int) throws -> LayerWeights { try base.layer(index) }
  func embeddings(of tokens: [Int32]) throws -> Matrix { try base.embeddings(of: tokens) }
  func finalNorm() throws -> [Float] { try base.finalNorm() }
  func outputHead() throws -> Matrix { try base.outputHead() }
}

func greatestDifference(_ a: [Float], _ b: [Float]) -> Float {
  a.count == b.count ? zip(a, b).reduce(0) { max($0, ($1.0 - $1.1).magnitude) } : .infinity
}
