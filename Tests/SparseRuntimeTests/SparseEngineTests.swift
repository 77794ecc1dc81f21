import Checkpoints
import Files
import SparseBundle
import SparseKernels
import TestSupport
import Testing

@testable import SparseRuntime

/// The engine beside the plain decoder, which shares no arithmetic with it but norms' and rotation's.
@Suite struct SparseEngineTests {
  static let tolerance: Float = 2e-5

  let folder = TemporaryFolder()

  @Test(arguments: TinyModel.allCases, WeightType.allCases)
  func logitsAndMasksAreThoseOfTheReferenceDecoder(_ model: TinyModel, type: WeightType) throws {
    for isExtended in type.isInPlanes ? [false] : [false, true] {
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

  @Test(arguments: [WeightType.int8, .q4, .int8Planes], InstructionSet.supported)
  func roundedActivationsAreTheSameInBothDecoders(type: WeightType, set: InstructionSet) throws {
    let (bundle, tokens) = try bundle(.llama, type, isExtended: !type.isInPlanes)
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
  @Test(arguments: TinyModel.allCases, [WeightType.f16, .int8Planes, .f16Planes])
  func promptReadAsABatchIsThePromptReadByToken(_ model: TinyModel, type: WeightType) throws {
    let (bundle, tokens) = try bundle(model, type)
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
    let layers = engine.layers.compactMap { layer in
      if case .whole(let matrices) = layer.matrices { matrices } else { nil }
    }
    guard case .whole(let head) = engine.outputHead, case .whole(let table) = engine.table else { throw Unexpected() }
    let read = (layers.flatMap(\.all) + [head]).reduce(table.rowBytes) { $0 + $1.rows * $1.rowBytes }
    let norms = 4 * (3 * 2 * 64 + 64)
    let cache = 2 * 3 * 32 * 4 * 10.0
    #expect(engine.bytesPerToken(position: 0).dense == Double(read + norms))
    #expect(engine.bytesPerToken(position: 0).sparse == Double(read + norms))
    #expect(engine.bytesPerToken(position: 10).dense == Double(read + norms) + cache)

    for token in tokens { engine.step(token, sparse: true) }
    func bytes(_ matrix: WeightMatrix, _ share: Double) -> Double { share * Double(matrix.rows * matrix.rowBytes) }
    let decided = engine.decided
    let skipped = layers.reduce(0.0) { sum, layer in
      sum + bytes(layer.query, decided.query.share) + bytes(layer.output, decided.output.share)
        + bytes(layer.up, decided.ffn.share) + bytes(layer.down, decided.ffn.share)
    }
    let expected = Double(read + norms + 3 * 4 * (160 + 2)) - skipped
    #expect((engine.bytesPerToken(position: 0).sparse - expected).magnitude < 1e-6)
  }

  private struct Unexpected: Error {}

  /// The same of weights in planes.
  @Test(arguments: [false, true], PlaneFormat.allCases)
  func bytesAreThoseOfThePlanesRead(attention: Bool, _ format: PlaneFormat) throws {
    let (bundle, tokens) = try bundle(.llama, WeightType(format), attention: attention)
    let engine = try engine(bundle, capacity: tokens.count)
    guard case .planes(let head) = engine.outputHead else { throw Unexpected() }
    func plane(_ pair: PlanePair) -> Double { Double(pair.high.rows * pair.high.rowBytes) }
    let norms = Double(4 * (3 * 2 * 64 + 64))
    let thresholds = 2 * (160 + (attention ? 4 * 64 : 0))
    var dense = 2 * plane(head) + norms
    dense += Double(2 * head.high.rowBytes)  // the embedding's row
    let offsets = 3 * 2 * 160 + head.high.rows
    var sparse = dense + Double(4 * (3 * thresholds + offsets))
    var rows = 0
    engine.observeHead = { rows += $0.count }
    for token in tokens { engine.step(token, sparse: true) }
    #expect(engine.decided.head.kept == rows && engine.decided.head.seen == tokens.count * head.high.rows)
    #expect(rows > 0 && rows < tokens.count * head.high.rows)
    sparse -= plane(head) * engine.decided.head.share
    for layer in engine.layers {
      guard case .planes(let m) = layer.matrices else { throw Unexpected() }
      let decided = engine.decided
      func read(_ place: DecisionCounts.Place) -> Double {
        place.seen == 0 ? 2 : 1 - place.share + (place.fullShare ?? 0)
      }
      dense += 2 * [m.query, m.key, m.value, m.output, m.gateUp, m.down].reduce(0) { $0 + plane($1) }
      sparse += plane(m.gateUp) * (1 + (decided.ffn.fullShare ?? 1)) + plane(m.down) * read(decided.ffn)
      sparse += plane(m.query) * read(decided.query) + plane(m.key) * read(decided.key)
      sparse += plane(m.value) * read(decided.value) + plane(m.output) * read(decided.output)
    }
    #expect((engine.bytesPerToken(position: 0).dense - dense).magnitude < 1e-6)
    #expect((engine.bytesPerToken(position: 0).sparse - sparse).magnitude < 1e-6)
  }

  /// With a margin of 0 the best row alone is read whole, with a wide one all of them: the logits of a head without a
  /// margin, to the last bit where no offset was added and taken away again.
  @Test func widestMarginReadsTheWholeHead() throws {
    let (bundle, tokens) = try bundle(.llama, .int8Planes)
    func run(_ margin: Float?, offsets: Bool = false) throws -> SparseEngine {
      var thresholds = bundle.thresholds
      (thresholds.headMargin, thresholds.realised.fullHead) = (margin, margin.map { _ in 0.5 })
      if !offsets { thresholds.headOffsets = nil }
      try writeAtomically(thresholds.encoded(), to: bundle.path + "/" + BundleFile.thresholds)
      let engine = try engine(ModelBundle(path: bundle.path), capacity: tokens.count)
      for token in tokens { engine.step(token, sparse: true) }
      return engine
    }
    let (best, all, whole) = (try run(0), try run(1000), try run(nil))
    #expect(all.logits == whole.logits && all.decided.head.share == 0 && whole.decided.head.seen == 0)
    #expect(best.decided.head.kept == tokens.count && best.logits != whole.logits)
    let moved = (try run(0, offsets: true), try run(1000, offsets: true))
    #expect(greatestDifference(moved.1.logits, whole.logits) < 1e-5)
    #expect(greatestDifference(moved.0.logits, best.logits) > 0.01)
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

  @Test(arguments: [2, 3, 5], [WeightType.f16, .int8Planes, .f16Planes])
  func resultsDoNotDependOnThreads(threads: Int, type: WeightType) throws {
    let (bundle, tokens) = try bundle(.llama3, type)
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

  @Test(arguments: InstructionSet.supported, [WeightType.bf16, .int8Planes, .f16Planes])
  func everyInstructionSetDecodes(_ set: InstructionSet, type: WeightType) throws {
    let (bundle, tokens) = try bundle(.qwen2, type)
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
    engine.observe = { _, place, list, full in
      #expect(full == nil)
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
    _ model: TinyModel, _ type: WeightType, attention: Bool = true, isExtended: Bool = false
  ) throws -> (ModelBundle, [Int32]) {
    let tokens = try Array(model.oracle().sequences[0].prefix(20))
    try model.open().writeBundle(
      to: folder.path("bundle"), type, [tokens], attention: attention, isExtended: isExtended)
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
