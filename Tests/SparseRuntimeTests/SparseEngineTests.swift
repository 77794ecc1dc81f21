import Checkpoints
import SparseBundle
import SparseKernels
import TestSupport
import Testing

@testable import SparseRuntime

/// The engine beside the plain decoder, which shares no arithmetic with it but norms' and rotation's.
@Suite struct SparseEngineTests {
  static let tolerance: Float = 2e-5

  let folder = TemporaryFolder()

  @Test(arguments: TinyModel.allCases, WeightType.unsplit)
  func logitsAndMasksAreThoseOfTheReferenceDecoder(_ model: TinyModel, type: WeightType) throws {
    for isExtended in [false, true] {
      let (bundle, tokens) = try bundle(model, type, isExtended: isExtended)
      for sparse in [false, true] {
        let engine = try engine(bundle, capacity: tokens.count)
        try expectSame(engine, ReferenceDecoder(SparseModel(bundle), capacity: tokens.count), tokens, sparse: sparse)
        #expect(sparse == (engine.decided.ffn.seen > 0))
        #expect((sparse && isExtended) == (engine.decided.down.seen > 0))
      }
    }
  }

  @Test(arguments: TinyModel.allCases, [false, true])
  func everyBudgetDecodesAsTheReferenceDecoder(_ model: TinyModel, isExtended: Bool) throws {
    let path = folder.path("bundle")
    let tokens = try Array(model.oracle().sequences[0].prefix(20))
    try model.open().writeBundle(to: path, .f16, [tokens], isExtended: isExtended, otherSparsities: [0.25, 0.8])
    var plain = try SparseModel(ModelBundle(path: path))
    var kept: [Int] = []
    for sparsity in [0.25, 0.5, 0.8] {
      let bundle = try ModelBundle(path: path, sparsity: sparsity)
      let engine = try engine(bundle, capacity: tokens.count)
      plain.use(bundle.thresholds)
      try expectSame(engine, ReferenceDecoder(plain, capacity: tokens.count), tokens, sparse: true)
      kept.append(engine.decided.ffn.kept)
    }
    #expect(kept[0] > kept[1] && kept[1] > kept[2])
  }

  @Test(arguments: [WeightType.int8, .q4], InstructionSet.supported)
  func roundedActivationsAreTheSameInBothDecoders(type: WeightType, set: InstructionSet) throws {
    let (bundle, tokens) = try bundle(.llama, type, isExtended: true)
    let engine = try SparseEngine(
      bundle, WeightCache(directory: nil).weights(of: bundle), capacity: tokens.count, threads: 2, precision: .int8,
      instructionSet: set)
    let reference = try ReferenceDecoder(SparseModel(bundle), capacity: tokens.count, precision: .int8)
    try expectSame(engine, reference, tokens, sparse: true)
    let exact = try self.engine(bundle, capacity: tokens.count)
    for token in tokens { exact.step(token, sparse: true) }
    #expect(greatestDifference(exact.logits, engine.logits) > 10 * Self.tolerance)
  }

  /// The batch of a long prompt leaves the same keys and values as its tokens one by one.
  @Test(arguments: TinyModel.allCases)
  func promptReadAsABatchIsThePromptReadByToken(_ model: TinyModel) throws {
    let (bundle, tokens) = try bundle(model, .f16)
    let prompt = (0..<SparseEngine.smallestBatch + 3).map { tokens[$0 % tokens.count] }
    let engine = try engine(bundle, capacity: prompt.count + 1)
    try engine.read(prompt[...], sparse: false)
    #expect(engine.position == prompt.count)
    engine.step(tokens[0], sparse: true)
    var reference = try ReferenceDecoder(SparseModel(bundle), capacity: prompt.count + 1)
    reference.read(prompt[...], sparse: false)
    reference.step(tokens[0], sparse: true)
    #expect(greatestDifference(reference.logits, engine.logits) < Self.tolerance)
  }

  /// Beside the matrices that the engine reads, norms and thresholds by hand: 2 · 64 a layer and 64, and 160 + 2.
  @Test(arguments: WeightType.unsplit)
  func bytesAreThoseOfTheMatricesRead(type: WeightType) throws {
    let (bundle, tokens) = try bundle(.llama, type)
    let engine = try engine(bundle, capacity: tokens.count)
    let matrices = engine.layers.flatMap { [$0.query, $0.key, $0.value, $0.output, $0.gate, $0.up, $0.down] }
    let read = (matrices + [engine.outputHead]).reduce(engine.embedding.rowBytes) { $0 + $1.rows * $1.rowBytes }
    let norms = 4 * (3 * 2 * 64 + 64)
    let cache = 2 * 3 * 32 * 4 * 10.0
    #expect(engine.bytesPerToken(position: 0).dense == Double(read + norms))
    #expect(engine.bytesPerToken(position: 0).sparse == Double(read + norms))
    #expect(engine.bytesPerToken(position: 10).dense == Double(read + norms) + cache)

    for token in tokens { engine.step(token, sparse: true) }
    func bytes(_ matrix: WeightMatrix, _ share: Double) -> Double { share * Double(matrix.rows * matrix.rowBytes) }
    let decided = engine.decided
    let skipped = engine.layers.reduce(0.0) { sum, layer in
      sum + bytes(layer.query, decided.query.share) + bytes(layer.output, decided.output.share)
        + bytes(layer.up, decided.ffn.share) + bytes(layer.down, decided.ffn.share)
    }
    let expected = Double(read + norms + 3 * 4 * (160 + 2)) - skipped
    #expect((engine.bytesPerToken(position: 0).sparse - expected).magnitude < 1e-6)
  }

  private func expectSame(
    _ engine: SparseEngine, _ reference: ReferenceDecoder, _ tokens: [Int32], sparse: Bool
  ) throws {
    var reference = reference
    for token in tokens {
      reference.step(token, sparse: sparse)
      engine.step(token, sparse: sparse)
      #expect(greatestDifference(reference.logits, engine.logits) < Self.tolerance)
    }
    #expect(engine.position == tokens.count)
    #expect(engine.decided == reference.decided)
  }

  @Test(arguments: [2, 3, 5])
  func resultsDoNotDependOnThreads(threads: Int) throws {
    let (bundle, tokens) = try bundle(.llama3, .f16)
    let one = try engine(bundle, capacity: tokens.count, threads: 1)
    let many = try engine(bundle, capacity: tokens.count, threads: threads)
    for token in tokens {
      one.step(token, sparse: true)
      many.step(token, sparse: true)
      #expect(one.logits == many.logits)
    }
  }

  @Test func engineLooksBackAsFarAsTheWindow() throws {
    let (bundle, tokens) = try bundle(.qwen3, .f32)
    var model = try SparseModel(bundle)
    model.configuration.slidingWindow = 3
    let engine = try engine(bundle, capacity: tokens.count)
    engine.configuration.slidingWindow = 3
    try expectSame(engine, ReferenceDecoder(model, capacity: tokens.count), tokens, sparse: true)
  }

  @Test func weightsInPlanesAreRefused() throws {
    let (bundle, _) = try bundle(.llama, .int8Planes)
    #expect(throws: UnsupportedWeights.self) { try engine(bundle, capacity: 1) }
  }

  @Test(arguments: InstructionSet.supported)
  func everyInstructionSetDecodes(_ set: InstructionSet) throws {
    let (bundle, tokens) = try bundle(.qwen2, .bf16)
    let engine = try SparseEngine(
      bundle, WeightCache(directory: nil).weights(of: bundle), capacity: tokens.count, threads: 2, precision: .exact,
      instructionSet: set)
    try expectSame(engine, ReferenceDecoder(SparseModel(bundle), capacity: tokens.count), tokens, sparse: true)
  }

  /// What the engine lists is what thresholds say of what it computes: the lists' numbers are the counts'.
  @Test func observerSeesEveryList() throws {
    let (bundle, tokens) = try bundle(.llama, .f32, isExtended: true)
    let engine = try engine(bundle, capacity: tokens.count)
    var kept: [SparsePlace: Int] = [:]
    engine.observe = { _, place, list in
      kept[place, default: 0] += list.count
      #expect(list.keptChannels == list.keptChannels.sorted())
    }
    for token in tokens { engine.step(token, sparse: true) }
    #expect(
      kept == [
        .query: engine.decided.query.kept, .output: engine.decided.output.kept, .input: engine.decided.input.kept,
        .ffn: engine.decided.ffn.kept, .down: engine.decided.down.kept,
      ])
  }

  private func bundle(
    _ model: TinyModel, _ type: WeightType, isExtended: Bool = false
  ) throws -> (ModelBundle, [Int32]) {
    let tokens = try Array(model.oracle().sequences[0].prefix(20))
    try model.open().writeBundle(to: folder.path("bundle"), type, [tokens], isExtended: isExtended)
    return (try ModelBundle(path: folder.path("bundle")), tokens)
  }

  private func engine(_ bundle: ModelBundle, capacity: Int, threads: Int = 2) throws -> SparseEngine {
    try SparseEngine(
      bundle, WeightCache(directory: folder.path("cache")).weights(of: bundle), capacity: capacity, threads: threads)
  }
}

extension TokenDecoder {
  /// A copy, for comparisons.
  var logits: [Float] { withLogits { Array($0) } }
}
