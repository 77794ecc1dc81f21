import SparseBundle
import SparseRuntime
import TestSupport
import Testing
import ThresholdSolver

struct GoldenReplayTests {
  let folder = TemporaryFolder()

  @Test(arguments: TinyModel.allCases, WeightType.allCases)
  func goodBundleReplays(_ model: TinyModel, type: WeightType) throws {
    let bundle = try bundle(model, type)
    let replay = try bundle.replay(bundle)
    #expect(replay.denseDifference < 2e-5 && replay.sparseDifference < 2e-5)
    #expect(replay.wrongDecisions.isEmpty && replay.decisions > 0)
    // What rounding the weights changes is the source's difference alone.
    #expect((replay.sourceDifference - bundle.manifest.golden.sourceDifference).magnitude < 4e-5)
  }

  @Test(arguments: ["gate", "up", "down", "query", "key", "value", "output"])
  func changedWeightIsNoticed(part: String) throws {
    let bundle = try bundle(.llama, .f32)
    let model = try SparseModel(bundle)
    let layer = model.layers[1]
    let matrix = [
      "gate": layer.gate, "up": layer.up, "down": layer.down, "query": layer.query, "key": layer.key,
      "value": layer.value, "output": layer.output,
    ][part]
    let changed = try #require(matrix)
    changed[3, 5] += 1
    let replay = try bundle.replay(model)
    #expect(replay.denseDifference > bundle.manifest.golden.tolerance)
  }

  @Test func weightThatIsNoNumberIsNoticed() throws {
    let bundle = try bundle(.llama, .f32)
    let model = try SparseModel(bundle)
    model.layers[0].up[0, 0] = .nan
    #expect(try bundle.replay(model).denseDifference == .infinity)
  }

  @Test func changedThresholdIsNoticed() throws {
    let bundle = try bundle(.llama, .f32)
    #expect(try bundle.replay(bundle).wrongDecisions.isEmpty)
    var thresholds = bundle.thresholds
    thresholds.layers[2].ffn[10] = .infinity
    let wrong = try bundle.replay(bundle, thresholds).wrongDecisions
    #expect(!wrong.isEmpty && wrong.allSatisfy { $0.layer == 2 && $0.channel == 10 })
  }

  /// Layer by layer, for all budgets at once and on any number of threads, to the bit what a decoder gives that takes one
  /// token after the other with the whole model in memory.
  @Test(arguments: TinyModel.allCases, [WeightType.f16, .q4, .int8Planes, .f16Planes])
  func replayIsThatOfADecoder(_ model: TinyModel, type: WeightType) throws {
    let tokens = try model.oracle().sequences.map { Array($0.prefix(10)) }
    let path = folder.path("bundle")
    // Not equally long, and one of them twice.
    try model.open().writeBundle(
      to: path, type, tokens + [Array(tokens[0].prefix(3)), tokens[0]], isExtended: true, otherSparsities: [0.3, 0.6])
    var budgets = try [nil, 0.3, 0.6].map { sparsity in
      let bundle = try ModelBundle(path: path, sparsity: sparsity)
      return GoldenReplay.Budget(try bundle.golden, bundle.thresholds)
    }
    // Logits at some positions only, and decisions of which some are no longer the thresholds'.
    budgets[1].golden.texts.removeFirst()
    for text in budgets[2].golden.texts.indices { budgets[2].golden.texts[text].keepLast(2) }
    for layer in budgets[2].thresholds.layers.indices {
      budgets[2].thresholds.layers[layer].ffn[10 + layer] = .infinity
    }
    let bundle = try ModelBundle(path: path)
    let expected = try budgets.map { try decode($0, SparseModel(bundle)) }
    for threads in [1, 3] {
      #expect(try GoldenReplay.all(budgets, bundle, threads: threads).map(Replay.init) == expected)
    }
    #expect(expected[0] != expected[1] && expected.allSatisfy { $0.decisions > 0 })
    #expect(expected[2].disagreements.count > expected[0].disagreements.count)
  }

  /// What a replay finds.
  private struct Replay: Equatable {
    var differences = [0.0, 0, 0]  // dense, sparse, source
    var decisions = 0
    var disagreements: [Disagreement] = []

    init() {}

    init(_ replay: GoldenReplay) {
      differences = [replay.denseDifference, replay.sparseDifference, replay.sourceDifference]
      (decisions, disagreements) = (replay.decisions, replay.disagreements)
    }
  }

  private func decode(_ budget: GoldenReplay.Budget, _ model: SparseModel) -> Replay {
    var (model, replay) = (model, Replay())
    model.use(budget.thresholds)
    for text in budget.golden.texts {
      var dense = ReferenceDecoder(model, capacity: text.tokens.count)
      var sparse = dense
      for (position, token) in text.tokens.enumerated() {
        let logits = [
          dense.step(token, .dense),
          sparse.step(token, .recorded(text.kept[position], head: text.keptHead?[position])),
        ]
        guard let row = text.positions.firstIndex(of: position) else { continue }
        let recorded = row * logits[0].count..<(row + 1) * logits[0].count
        for (i, pair) in [(logits[0], text.dense), (logits[1], text.sparse), (logits[0], text.source)].enumerated() {
          let difference = Double(greatestDifference(pair.0, Array(pair.1[recorded])))
          replay.differences[i] = max(replay.differences[i], difference)
        }
      }
      replay.decisions += text.kept.joined().reduce(0) { $0 + $1.count } + (text.keptHead?.joined().count ?? 0)
      replay.disagreements += sparse.disagreements
    }
    return replay
  }

  private func bundle(_ model: TinyModel, _ type: WeightType) throws -> ModelBundle {
    let tokens = try model.oracle().sequences.map { Array($0.prefix(10)) }
    try model.open().writeBundle(to: folder.path("bundle"), type, tokens)
    return try ModelBundle(path: folder.path("bundle"))
  }
}

extension ModelBundle {
  /// Its golden vectors, computed with weights, and maybe thresholds, that may be others than its own.
  func replay(_ weights: some SparseWeightSource, _ thresholds: Thresholds? = nil) throws -> GoldenReplay {
    try GoldenReplay.all([.init(golden, thresholds ?? self.thresholds)], weights)[0]
  }
}

extension GoldenVectors.Text {
  fileprivate mutating func keepLast(_ count: Int) {
    let logits = count * (dense.count / positions.count)
    positions = positions.suffix(count)
    (source, dense, sparse) = (source.suffix(logits), dense.suffix(logits), sparse.suffix(logits))
  }
}
