import Checkpoints
import SparseBundle
import TestSupport
import Testing
import ThresholdSolver

@testable import SparseRuntime

/// The plain decoder of weights in planes.
struct GradedDecoderTests {
  private let folder = TemporaryFolder()

  /// Numpy in float64: `Fixtures/make_planes_oracle.py`.
  @Test func logitsAndSharesAreNumpys() throws {
    let oracle = try SharedFixtures.safetensors("statistics/planes.safetensors")
    let tokens = try oracle.integers(of: "ids")
    var thresholds = try TinyModel.llama.open().someGradedThresholds()
    thresholds.layers = try (0..<3).map { try oracle.gradedThresholds(layer: $0) }
    var model = try SparseModel(bundle(.llama))
    thresholds.headOffsets = try oracle.values(of: "head.offset")
    model.use(thresholds)
    var decoder = ReferenceDecoder(model, capacity: tokens.count)
    let margin = try oracle.values(of: "head.margin")[0]
    for (name, sparse, margin) in [
      ("dense.logits", false, margin), ("graded.logits", true, nil), ("head.logits", true, margin),
    ] as [(String, Bool, Float?)] {
      model.head.margin = margin
      decoder = ReferenceDecoder(model, capacity: tokens.count)
      let expected = try oracle.values(of: name).split(into: tokens.count)
      for (position, token) in tokens.enumerated() {
        decoder.step(token, sparse: sparse)
        #expect(greatestDifference(decoder.logits, expected[position][...]) < 1e-3, "\(name)")
      }
    }
    let head = try #require(decoder.decided.shares.fullHead)
    #expect((head - oracle.doubles(of: "head.share")[0]).magnitude < 1e-9)
    let shares = try #require(decoder.decided.shares.full.map { _ in decoder.decided.shares })
    for place in [Thresholds.Place.ffn, .query, .key, .value, .output] {
      let layers = (0..<3).map { oracle.doubles(of: "layers.\($0).\(place.rawValue).shares") }
      let (dropped, full) = (layers.map { $0[0] }.reduce(0, +) / 3, layers.map { $0[1] }.reduce(0, +) / 3)
      #expect(((shares[place] ?? .nan) - dropped).magnitude < 1e-9, "\(place)")
      #expect(((shares.full?[place] ?? .nan) - full).magnitude < 1e-9, "\(place)")
    }
  }

  @Test func denseStepsDecideNothing() throws {
    var decoder = try ReferenceDecoder(SparseModel(bundle(.qwen3)), capacity: 2)
    decoder.step(1, sparse: false)
    #expect(decoder.decided.shares.full == nil && decoder.decided.ffn.seen == 0 && decoder.decided.head.seen == 0)
    decoder.step(1, sparse: true)
    #expect(decoder.decided.shares.full?.value != nil)
  }

  /// Either of a channel's two decisions may be wrong.
  @Test(arguments: [false, true])
  func changedThresholdIsNoticed(isFull: Bool) throws {
    let bundle = try bundle(.llama)
    let golden = try bundle.golden
    let right = try bundle.replay(bundle)
    #expect(right.wrongDecisions.isEmpty)
    // A layer decides twice on 160 channels, on the inputs of query, key and value, and on the output's; the head once
    // on each row.
    let rows = bundle.configuration.vocabularySize
    #expect(right.decisions == golden.texts.reduce(0) { $0 + $1.tokens.count } * (3 * 2 * (160 + 4 * 64) + rows))
    let channel = try #require(golden.texts[0].kept[3][2].full?.ffn.firstIndex(of: true))
    var thresholds = bundle.thresholds
    if isFull {
      thresholds.layers[2].full?.ffn[channel] = .infinity
    } else {
      thresholds.layers[2].ffn[channel] = .infinity
    }
    let wrong = try bundle.replay(bundle, thresholds).wrongDecisions
    #expect(!wrong.isEmpty && wrong.allSatisfy { $0.layer == 2 && $0.channel == channel })
  }

  @Test func changedHeadMarginIsNoticed() throws {
    let bundle = try bundle(.llama)
    var thresholds = bundle.thresholds
    thresholds.headMargin = thresholds.headMargin.map { $0 + 0.5 }
    let replay = try bundle.replay(bundle, thresholds)
    // Recorded rows are obeyed, so that the logits are the same.
    #expect(replay.sparseDifference < bundle.manifest.golden.tolerance)
    #expect(!replay.wrongDecisions.isEmpty && replay.wrongDecisions.allSatisfy { $0.layer == nil })
    #expect(replay.wrongDecisions[0].place.hasPrefix("output head, row "))
  }

  /// High planes alone are read as well: what is wrong with them does not show densely.
  @Test(arguments: ["gate", "up", "down", "query", "key", "value", "output", "head"])
  func changedHighPlaneIsNoticed(part: String) throws {
    let bundle = try bundle(.llama)
    let model = try SparseModel(bundle)
    let high = try #require(model.layers[1].high)
    let planes = [
      "gate": high.gate, "up": high.up, "down": high.down, "query": high.query, "key": high.key, "value": high.value,
      "output": high.output, "head": try #require(model.head.high),
    ]
    let plane = try #require(planes[part])
    for row in 0..<plane.rows { plane[row, 5] += 1 }
    let replay = try bundle.replay(model)
    let tolerance = bundle.manifest.golden.tolerance
    #expect(replay.denseDifference < tolerance)
    #expect(replay.sparseDifference > tolerance || !replay.wrongDecisions.isEmpty)
  }

  private func bundle(_ model: TinyModel) throws -> ModelBundle {
    let tokens = try model.oracle().sequences.map { Array($0.prefix(10)) }
    try model.open().writeBundle(to: folder.path("bundle"), .int8Planes, tokens)
    return try ModelBundle(path: folder.path("bundle"))
  }
}
