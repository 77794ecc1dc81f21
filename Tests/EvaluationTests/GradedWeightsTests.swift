import Checkpoints
import Evaluation
import TestSupport
import Testing
import ThresholdSolver
import Transformer

/// Weights in planes, read as far as grades say, beside numpy: `Fixtures/make_planes_oracle.py`.
struct GradedWeightsTests {
  private let oracle: SafetensorsFile
  private let weights: any WeightSource

  init() throws {
    oracle = try SharedFixtures.safetensors("statistics/planes.safetensors")
    weights = try TinyModel.llama.inPlanes()
  }

  @Test func logitsAreNumpysUnderTheSameGrades() throws {
    let taps = try (0..<3).map { GradeTap(try layer($0), full: try #require(try layer($0).full)) }
    let logits = try logits(weights, [ids], tap: { taps[$0] })[0]
    try expectNear(logits, "graded.logits")
    for (index, tap) in taps.enumerated() {
      let shares = tap.shares
      for place in [Thresholds.Place.ffn, .query, .key, .value, .output] {
        let expected = oracle.doubles(of: "layers.\(index).\(place.rawValue).shares")
        #expect(((shares[place] ?? .nan) - expected[0]).magnitude < 1e-9, "layer \(index), \(place)")
        #expect(((shares.full?[place] ?? .nan) - expected[1]).magnitude < 1e-9, "layer \(index), \(place)")
      }
    }
  }

  @Test func logitsOfAHeadOnDemandAreNumpys() throws {
    let (margin, share) = (try oracle.values(of: "head.margin")[0], oracle.doubles(of: "head.share")[0])
    let walked = try ThresholdWalk(weights, threads: 1).run([ids], thresholds(headMargin: margin))
    let head = try walked.pass.outputHead(weights, hasHighPlane: true).onDemand(
      margin: margin, offsets: oracle.values(of: "head.offset"))
    let (logits, readWhole) = head.gradedLogits(try walked.states.sequence(0), rows: 0..<ids.count)
    try expectNear(logits.values, "head.logits")
    #expect(((head.shareReadWhole ?? .nan) - share).magnitude < 1e-9)
    #expect(try #require(readWhole).joined().count { $0 } == Int((share * Double(logits.count)).rounded()))
  }

  /// Beside the same layers with a head that is read whole.
  @Test func headOnDemandIsMeasuredAndCounted() throws {
    let margin = try oracle.values(of: "head.margin")[0]
    let ladder = try [nil, margin, 100].map(thresholds)
    let measured = try PerplexityMeasurement(weights, threads: 2)
      .run(TokenWindows([ids]), [MeasuredWeights(weights, ladder)]).others[0]
    #expect(measured[0].nll != measured[1].nll && measured[0].nll == measured[2].nll)
    #expect(measured[0].shares.allSatisfy { $0.fullHead == nil })
    #expect(measured[1].shares.allSatisfy { ($0.fullHead ?? 1) > 0.1 && ($0.fullHead ?? 1) < 0.9 })
    #expect(measured[2].shares.allSatisfy { $0.fullHead == 1 })
  }

  /// Thresholds of 0 read all bits, and so does a model that nobody grades.
  @Test func everythingReadWholeIsTheDenseModel() throws {
    let dense = try logits(weights, [ids])[0]
    try expectNear(dense, "dense.logits")
    func zeros(_ count: Int) -> [Float] { [Float](repeating: 0, count: count) }
    let full = GradedPlaces(ffn: zeros(160), query: zeros(64), key: zeros(64), value: zeros(64), output: zeros(64))
    let layer = Thresholds.Layer(
      ffn: full.ffn, query: full.query, key: full.key, value: full.value, output: full.output, full: full)
    #expect(try logits(weights, [ids], tap: { _ in GradeTap(layer, full: full) })[0] == dense)
  }

  /// A prompt that runs dense stays dense: what is behind it alone differs.
  @Test func promptIsReadWhole() throws {
    let thresholds = try thresholds(headMargin: nil)
    func kl(_ positions: MeasuredPositions) throws -> Double {
      let text = TokenWindows([ids + ids])
      let measured = try PerplexityMeasurement(weights, threads: 1, positions: positions)
        .run(text, [MeasuredWeights(weights, [thresholds, nil])]).others[0]
      #expect(measured[1].kl == 0)
      return try #require(measured[0].kl)
    }
    let (all, decode) = (try kl(.all), try kl(.decode))
    #expect(decode > 0 && decode != all)
  }

  /// Scores are counted of a model that runs with both planes of everything.
  @Test func scoresAddUpToNumpysSums() throws {
    let offsets = try (0..<3).map { try oracle.planeOffsets(layer: $0) }
    for (index, record) in try collectStatistics(weights, [ids], sinkPositions: 0, offsets: offsets).enumerated() {
      #expect(record.offsets == offsets[index])
      let scores = try #require(record.regular.scores)
      for (name, sums) in [("energy", scores.energy.values), ("error", scores.error.values)] {
        let byChannel = sums.split(into: 160).map { $0.reduce(0, +) }
        let expected = oracle.doubles(of: "layers.\(index).ffn.\(name)")
        #expect(expected.count == 160)
        #expect(zip(byChannel, expected).allSatisfy { ($0 - $1).magnitude <= 1e-4 * $1.magnitude + 1e-9 }, "\(name)")
      }
      #expect(scores.count.reduce(0, +) == 160 * Int64(ids.count))
    }
  }

  private var ids: [Int32] { (try? oracle.integers(of: "ids")) ?? [] }

  private func thresholds(headMargin: Float?) throws -> Thresholds {
    Thresholds(
      request: try SolverRequest(method: .planes, attention: true, head: headMargin != nil, sparsity: 0.5),
      layers: try (0..<3).map(layer), headMargin: headMargin, realised: .init(ffn: 0), modelHash: "", corpusHash: "",
      statisticsHash: "")
  }

  private func layer(_ index: Int) throws -> Thresholds.Layer { try oracle.gradedThresholds(layer: index) }

  private func expectNear(_ logits: [Float], _ name: String) throws {
    let expected = try oracle.values(of: name)
    #expect(logits.count == expected.count)
    #expect(zip(logits, expected).allSatisfy { ($0 - $1).magnitude < 1e-3 })
  }
}
