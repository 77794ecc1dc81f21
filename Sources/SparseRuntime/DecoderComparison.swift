import LinearAlgebra
import SparseBundle
import SparseKernels
import ThresholdSolver

/// Whether the fast engine decodes as the plain decoder does: the same tokens, and the same channels kept at every
/// step of every layer.
///
/// The engine continues each prompt greedily; the reference decoder then takes the same tokens, keeps what the
/// engine kept, and notes where it would have chosen otherwise. It goes layer by layer, as it does over golden vectors,
/// with one layer's weights in memory. Both multiply exact activations, whatever the bundle's
/// manifest asks for: where activations are rounded to 8 bits, the last bit of a sum decides some codes, and what
/// follows differs by as much as the rounding itself.
public struct DecoderComparison: Sendable, Equatable {
  /// Tokens that the engine chose, over all prompts.
  public private(set) var tokens = 0
  /// Of these, those that the reference decoder would not have chosen.
  public private(set) var otherTokens = 0
  public private(set) var decisions = 0
  public private(set) var disagreements: [Disagreement] = []
  /// Greatest difference of logits.
  public private(set) var difference = 0.0

  /// Disagreements that rounding does not explain.
  public var wrongDecisions: [Disagreement] { disagreements.filter { !($0.margin <= GoldenReplay.tieMargin) } }

  /// What the engine did with one prompt.
  private struct Trace: Sendable {
    var prompt: ArraySlice<Int32>
    /// The tokens decoded sparsely, the prompt's last one first.
    var decoded: [Int32] = []
    var chosen: [Int32] = []
    var kept: [[KeptChannels]] = []  // [steps][layers]
    var keptHead: [[Bool]?] = []  // [steps], of the rows of a head that is read on demand
    var logits: [[Float]] = []
  }

  /// - Parameters:
  ///   - prompts: Each at least one token; read densely but for their last token.
  ///   - count: Tokens to decode after each prompt.
  /// - Complexity: O(tokens · weights) for each decoder; prompts side by side for the plain one. What the engine kept,
  ///   and its logits, are held for all prompts.
  public init(
    _ bundle: ModelBundle, _ unpacked: UnpackedWeights, prompts: [[Int32]], count: Int, threads: Int,
    progress: @escaping @Sendable (_ share: Double) -> Void = { _ in }
  ) throws {
    let traces = try prompts.map { prompt in
      try Self.trace(
        SparseEngine(
          bundle, unpacked, capacity: prompt.count + count, threads: threads, precision: .exact), prompt, count,
        layers: bundle.configuration.layerCount)
    }
    let walked = try ReferenceWalk.run(
      traces.map { trace in
        let read = trace.prompt.map { _ in KeepRule.dense }
        let decoded = zip(trace.kept, trace.keptHead).map { KeepRule.recorded($0, head: $1) }
        return .init(
          tokens: trace.prompt + trace.decoded, rules: read + decoded, thresholds: bundle.thresholds)
      }, bundle, threads: threads, progress: progress)
    let head = try bundle.outputHead()
    let compared = try mapIndices(below: traces.count, threads: threads) { index in
      Self(traces[index], beside: walked[index].suffix(traces[index].decoded.count), head)
    }
    for one in compared { add(one) }
    progress(1)
  }

  private init() {}

  private static func trace(_ engine: SparseEngine, _ prompt: [Int32], _ count: Int, layers: Int) throws -> Trace {
    var trace = Trace(prompt: prompt.dropLast())
    var sampler = TokenSampler()
    guard var token = prompt.last else { return trace }
    try engine.read(trace.prompt, sparse: false)
    for _ in 0..<count {
      var step = [KeptChannels](repeating: KeptChannels(ffn: []), count: layers)
      engine.observe = { layer, place, list, full in step[layer].record(place, list, full) }
      var rows: [Bool]?
      engine.observeHead = { rows = $0.flags }
      engine.step(token, sparse: true)
      trace.keptHead.append(rows)
      trace.decoded.append(token)
      trace.kept.append(step)
      trace.logits.append(engine.withLogits { Array($0) })
      token = engine.withLogits { sampler.next($0) }
      trace.chosen.append(token)
    }
    return trace
  }

  /// - Parameter decoded: The same tokens, by the plain oracle behind its last layer.
  private init(_ trace: Trace, beside decoded: ArraySlice<ReferenceToken>, _ head: SparseModel.Head) {
    var sampler = TokenSampler()
    for (step, var token) in decoded.enumerated() {
      let logits = token.logits(head)
      tokens += 1
      otherTokens += sampler.next(logits) == trace.chosen[step] ? 0 : 1
      difference = max(difference, greatestDifference(logits, trace.logits[step][...]))
      disagreements += token.disagreements
    }
    decisions = trace.kept.joined().reduce(0) { $0 + $1.count } + trace.keptHead.reduce(0) { $0 + ($1?.count ?? 0) }
  }

  private mutating func add(_ other: Self) {
    tokens += other.tokens
    otherTokens += other.otherTokens
    decisions += other.decisions
    disagreements += other.disagreements
    difference = max(difference, other.difference)
  }
}

extension KeptChannels {
  /// What the engine kept at one place; of graded weights what it read whole is listed apart.
  fileprivate mutating func record(_ place: SparsePlace, _ list: KeptList, _ full: KeptList?) {
    let whole = full?.flags
    let kept = whole.map { zip(list.flags, $0).map { $0 || $1 } } ?? list.flags
    switch place {
    case .query: query = kept
    case .key: key = kept
    case .value: value = kept
    case .output: output = kept
    case .input: input = kept
    case .ffn: ffn = kept
    case .down: down = kept
    }
    guard let whole else { return }
    var grades = self.full ?? GradedPlaces(ffn: [])
    switch place {
    case .query: grades.query = whole
    case .key: grades.key = whole
    case .value: grades.value = whole
    case .output: grades.output = whole
    case .ffn: grades.ffn = whole
    case .input, .down: break
    }
    self.full = grades
  }
}

extension KeptList {
  fileprivate var flags: [Bool] {
    var flags = [Bool](repeating: false, count: channels)
    for channel in keptChannels { flags[channel] = true }
    return flags
  }
}
