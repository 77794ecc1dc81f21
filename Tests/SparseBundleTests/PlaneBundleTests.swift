import Checkpoints
import Files
import LinearAlgebra
import TestSupport
import Testing
import ThresholdSolver
import Zstandard

@testable import SparseBundle

/// Bundles of weights in planes.
struct PlaneBundleTests {
  private let folder = TemporaryFolder()
  private let ids: [[Int32]] = [[1, 2, 3], [4, 5]]

  /// The table of schemas/bundle.md, of a model without biases whose head is its own: hidden 64, FFN 160, 4 heads on 2.
  @Test func tensorsAreNamedAndLieAsTheSchemaSays() throws {
    let weights = try bundle(.llama).weights
    let expected: [(name: String, shape: [Int])] = [
      ("self_attn.q_proj.PLANE_t", [64, 64]), ("self_attn.k_proj.PLANE_t", [64, 32]),
      ("self_attn.v_proj.PLANE_t", [64, 32]), ("self_attn.o_proj.PLANE_t", [64, 64]),
      ("mlp.gate_up_proj.PLANE", [320, 64]), ("mlp.down_proj.PLANE_t", [160, 64]),
    ]
    let planes = weights.layout.entries.filter { $0.name.hasPrefix("model.layers.2.") && $0.format != .f32 }
    #expect(
      planes.map(\.name)
        == expected.flatMap { tensor in
          ["high", "low"].map { "model.layers.2." + tensor.name.replacing("PLANE", with: $0) }
        })
    #expect(planes.map(\.shape) == expected.flatMap { [$0.shape, $0.shape] })
    #expect(planes.map(\.format) == expected.flatMap { _ in [RowFormat.highNibbles, .lowNibbles] })
    let ends = weights.layout.entries.filter { !$0.name.contains("layers") }.map(\.name)
    #expect(
      ends == ["model.embed_tokens.high", "model.embed_tokens.low", "model.norm.weight", "lm_head.high", "lm_head.low"])
  }

  /// A plane of bytes is as many bytes as weights.
  @Test func bytesLieAsTheSchemaSays() throws {
    let weights = try bundle(.llama, .f16).weights
    let gate = weights.layout.entries(of: .layer(2, .gate))
    #expect(gate.map(\.format) == [.highBytes, .lowBytes] && gate.allSatisfy { $0.shape == [320, 64] })
    #expect(gate.map(\.name) == ["high", "low"].map { "model.layers.2.mlp.gate_up_proj." + $0 })
    #expect(gate.allSatisfy { $0.rowBytes == 64 && $0.byteRange.count == 320 * 64 })
  }

  @Test(arguments: TinyModel.allCases, PlaneFormat.allCases)
  func eachPlaneReadsBackAsTheModelRounded(_ model: TinyModel, _ format: PlaneFormat) throws {
    let bundle = try bundle(model, format)
    let unpacked = try WeightCache(directory: nil).weights(of: bundle)
    let source = PlaneWeights(try model.open().weights, format)
    let sources = [(bundle.weights as any WeightSource, source as any WeightSource)]
    let high = (try #require(bundle.weights.highPlanes), try #require(source.highPlanes))
    #expect(high.0.highPlanes == nil)
    for (written, source) in sources + [high] {
      for index in 0..<source.configuration.layerCount {
        expectSame(try written.layer(index), try source.layer(index))
      }
      #expect(try written.outputHead().values == source.outputHead().values)
      #expect(try written.embeddings(of: [7, 0, 7]).values == source.embeddings(of: [7, 0, 7]).values)
      #expect(try written.finalNorm() == source.finalNorm())
    }
    for index in 0..<bundle.configuration.layerCount {
      expectSame(try unpacked.layer(index), try bundle.weights.layer(index))
    }
  }

  /// What a runtime maps: each plane in one piece, gate and up projections row by row.
  @Test(arguments: PlaneFormat.allCases)
  func planesAreMapped(_ format: PlaneFormat) throws {
    let bundle = try bundle(.llama, format)
    let unpacked = try WeightCache(directory: nil).weights(of: bundle)
    #expect(unpacked.tensor(.layer(1, .gate)) == nil && unpacked.tensor(.embeddings) == nil)
    #expect(unpacked.tensor(.finalNorm)?.entry.format == .f32 && unpacked.tensor(.outputHead, plane: .low) != nil)
    let rows = Matrix(rows: 320, columns: 64)
    let source = PlaneWeights(try TinyModel.llama.open().weights, format)
    for (plane, weights) in [(WeightPlane.high, try #require(source.highPlanes)), (.low, source)] {
      let gate = try #require(unpacked.tensor(.layer(1, .gate), plane: plane))
      let up = try #require(unpacked.tensor(.layer(1, .up), plane: plane))
      #expect(gate.bytes.baseAddress == up.bytes.baseAddress && gate.entry.shape == [320, 64])
      gate.entry.format.decode(gate.bytes, into: rows)
      let layer = try weights.layer(1)
      for channel in 0..<160 {
        for (row, matrix) in [(2 * channel, layer.gate), (2 * channel + 1, layer.up)] {
          #expect((0..<64).allSatisfy { rows[row, $0] == matrix[channel, $0] })
        }
      }
    }
  }

  @Test(arguments: [false, true], TinyModel.allCases)
  func gradesReadBackAsTheyWereWritten(attention: Bool, _ model: TinyModel) throws {
    let checkpoint = try model.open()
    let format = model == .llama ? PlaneFormat.f16 : .int8
    let golden = try checkpoint.writeBundle(
      to: folder.path("b"), WeightType(format), ids, attention: attention)
    let kept = try #require(golden.texts[0].kept[1].first)
    #expect(kept.full != nil && (kept.key != nil) == attention && (kept.full?.output != nil) == attention)
    let bundle = try ModelBundle(path: folder.path("b"))
    #expect(try bundle.golden == golden)
    #expect(try bundle.thresholds == checkpoint.someGradedThresholds(format, attention: attention))
    #expect(BundleVerification(path: folder.path("b")).run().checks.filter { !$0.ok }.isEmpty)
  }

  /// Nothing that is not kept is read by both planes, and every place that thresholds decide at is there.
  @Test func gradesThatThresholdsCannotMakeAreRefused() {
    let thresholds = Thresholds.Layer(ffn: [1, 1], full: GradedPlaces(ffn: [2, 2]))
    func kept(_ ffn: [Bool], full: [Bool]?, key: [Bool]? = nil) -> KeptChannels {
      KeptChannels(ffn: ffn, key: key, full: full.map { GradedPlaces(ffn: $0) })
    }
    #expect(kept([true, true], full: [true, false]).isDecided(by: thresholds))
    #expect(!kept([true, false], full: [true, true]).isDecided(by: thresholds))
    #expect(!kept([true, true], full: nil).isDecided(by: thresholds))
    #expect(!kept([true, true], full: [true, true], key: [true]).isDecided(by: thresholds))
  }

  /// Rows of the head are recorded exactly where thresholds have a margin.
  @Test(arguments: [false, true])
  func headIsRecordedWhereItIsReadOnDemand(isRecorded: Bool) throws {
    let (checkpoint, path) = (try TinyModel.llama.open(), folder.path("b"))
    let golden = try checkpoint.writeBundle(to: path, .int8Planes, ids)
    let kept = try #require(golden.texts[0].keptHead)
    #expect(kept.count == ids[0].count && kept.allSatisfy { $0.contains(true) && $0.contains(false) })
    #expect(try ModelBundle(path: path).manifest.sparsification.head == true)
    let other = try checkpoint.someGradedThresholds(headMargin: isRecorded ? 3 : nil)
    try writeAtomically(other.encoded(), to: path + "/" + BundleFile.thresholds)
    let bundle = try ModelBundle(path: path)
    if isRecorded {
      #expect(try bundle.golden == golden)
    } else {
      #expect(throws: BundleError.self) { try bundle.golden }
    }
  }

  @Test(arguments: WeightType.allCases)
  func methodsThatDoNotGradeTheWeightsAreRefused(_ type: WeightType) throws {
    let model = try TinyModel.llama.open()
    let all = try [model.someThresholds()] + PlaneFormat.allCases.map { try model.someGradedThresholds($0) }
    try model.writeBundle(to: folder.path("b"), type, ids)
    for wrong in all where wrong.planes != type.planes {
      let error = BundleError.unlikeWeights(wrong.request.method, wrong.planes, type)
      #expect(throws: error) { try BundleWriter(model: model, thresholds: wrong, type: type, toolVersion: "1") }
      #expect("\(error)".contains("planes") && "\(error)".contains(type.rawValue))
      try writeAtomically(wrong.encoded(), to: folder.path("b/" + BundleFile.thresholds))
      #expect(throws: error) { try ModelBundle(path: folder.path("b")) }
    }
  }

  /// In one plane alone: a code behind the last column, a scale, and in both of them what stands for −128.
  @Test(arguments: PlaneFormat.allCases)
  func changedRecordIsFound(_ format: PlaneFormat) throws {
    let weights = try bundle(.llama3, format).weights  // rows of 48 weights
    var unpacked: [UInt8] = []
    try weights.forEachPiece { unpacked += $0 }
    let planes = weights.layout.entries(of: .layer(1, .up))
    let rows = planes.map { $0.byteRange.lowerBound + 7 * $0.rowBytes }
    func passes(_ change: (inout [UInt8]) -> Void) throws -> Bool {
      var changed = unpacked
      change(&changed)
      var packed: [UInt8] = []
      let writer = try SeekableWriter { packed += $0 }
      try writer.append(changed)
      try writer.finish()
      try writeAtomically(packed, to: folder.path("changed.zst"))
      let changedWeights = try BundleWeights(path: folder.path("changed.zst"), weights.configuration, weights.type, nil)
      return (try? changedWeights.unpackAll { _ in }) != nil
    }
    #expect(try passes { _ in })
    guard format == .int8 else {
      #expect(try !passes { $0[rows[0]] |= 0x7C })  // infinite, or no number
      #expect(try passes { $0[rows[1]] = 0xFF })
      return
    }
    #expect(try !passes { $0[rows[1] + 16] |= 0x10 })  // column 48
    #expect(try !passes { $0[rows[1] + 32] ^= 1 })  // the first scale
    #expect(try !passes { bytes in for row in rows { bytes[row] &= 0xF0 } })
  }

  /// A token reads everything once, but of the embeddings one row.
  @Test(arguments: PlaneFormat.allCases)
  func bytesAreThoseOfThePlanes(_ format: PlaneFormat) throws {
    let (model, type) = (try TinyModel.llama.open(), WeightType(format))
    let weights = try bundle(.llama, format).weights
    let thresholds = try model.someGradedThresholds(format)
    func stored(_ entry: BundleLayout.Entry) -> Int {
      entry.tensors == [.embeddings] ? entry.rowBytes : entry.byteRange.count
    }
    let all = Double(weights.layout.entries.reduce(0) { $0 + stored($1) })
    let dense = TokenBytes(model.configuration, type, shares: [], thresholds)
    #expect(dense.dense == all && dense.sparse == all)
    // Nothing but the high planes of gate and up projections.
    let nothing = Thresholds.Shares(
      ffn: 1, query: 1, key: 1, value: 1, output: 1,
      full: GradedPlaces(ffn: 0, query: 0, key: 0, value: 0, output: 0))
    let least = TokenBytes(model.configuration, type, shares: [nothing, nothing, nothing], thresholds)
    let unread = weights.layout.entries.filter { entry in
      guard case .layer(_, let part) = entry.tensors[0], part.isMatrix else { return false }
      return part != .gate || entry.format.plane == .low
    }
    // Two thresholds a channel or input, two offsets a channel and one a row of the head.
    let deciding = 4 * (3 * 2 * (160 + 4 * 64) + 3 * 2 * 160 + model.configuration.vocabularySize)
    #expect(least.sparse == all - Double(unread.reduce(0) { $0 + $1.byteRange.count }) + Double(deciding))
    var (some, none) = (nothing, nothing)
    (some.fullHead, none.fullHead) = (0.25, 0)
    let head = weights.layout.entries.filter { $0.tensors == [.outputHead] && $0.format.plane == .low }
    for (shares, unread) in [(some, 0.75), (none, 1)] {
      let bytes = TokenBytes(model.configuration, type, shares: [shares, shares, shares], thresholds)
      #expect(least.sparse - bytes.sparse == unread * Double(head[0].byteRange.count) && bytes.dense == all)
    }
  }

  private func bundle(_ model: TinyModel, _ format: PlaneFormat = .int8) throws -> ModelBundle {
    try model.open().writeBundle(to: folder.path("bundle"), WeightType(format), ids)
    return try ModelBundle(path: folder.path("bundle"))
  }

  private func expectSame(_ a: LayerWeights, _ b: LayerWeights) {
    for part in [\LayerWeights.query, \.key, \.value, \.output, \.gate, \.up, \.down] {
      #expect(a[keyPath: part].values == b[keyPath: part].values)
    }
    for part in [\LayerWeights.queryBias, \.keyBias, \.valueBias, \.queryNorm, \.keyNorm, \.ffnPostNorm] {
      #expect(a[keyPath: part] == b[keyPath: part])
    }
    #expect(a.attentionNorm == b.attentionNorm && a.ffnNorm == b.ffnNorm)
  }
}
