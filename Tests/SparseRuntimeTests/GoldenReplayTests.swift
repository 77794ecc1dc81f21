import SparseBundle
import SparseRuntime
import TestSupport
import Testing

struct GoldenReplayTests {
  let folder = TemporaryFolder()

  @Test(arguments: TinyModel.allCases, WeightType.allCases)
  func goodBundleReplays(_ model: TinyModel, type: WeightType) throws {
    let bundle = try bundle(model, type)
    let replay = GoldenReplay(try bundle.golden, try SparseModel(bundle))
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
    let replay = GoldenReplay(try bundle.golden, model)
    #expect(replay.denseDifference > bundle.manifest.golden.tolerance)
  }

  @Test func weightThatIsNoNumberIsNoticed() throws {
    let bundle = try bundle(.llama, .f32)
    let model = try SparseModel(bundle)
    model.layers[0].up[0, 0] = .nan
    #expect(GoldenReplay(try bundle.golden, model).denseDifference == .infinity)
  }

  @Test func changedThresholdIsNoticed() throws {
    let bundle = try bundle(.llama, .f32)
    var model = try SparseModel(bundle)
    #expect(GoldenReplay(try bundle.golden, model).wrongDecisions.isEmpty)
    model.layers[2].thresholds.ffn[10] = .infinity
    let wrong = GoldenReplay(try bundle.golden, model).wrongDecisions
    #expect(!wrong.isEmpty && wrong.allSatisfy { $0.layer == 2 && $0.channel == 10 })
  }

  private func bundle(_ model: TinyModel, _ type: WeightType) throws -> ModelBundle {
    let tokens = try model.oracle().sequences.map { Array($0.prefix(10)) }
    try model.open().writeBundle(to: folder.path("bundle"), type, tokens)
    return try ModelBundle(path: folder.path("bundle"))
  }
}
