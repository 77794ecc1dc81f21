import Checkpoints
import Foundation
import LinearAlgebra
import SparseBundle
import SparseKernels
import ThresholdSolver
import Transformer

/// Decodes with kernels that read only the weights which a token keeps, on threads that stay.
///
///     let engine = try SparseEngine(bundle, capacity: 256, threads: 2)
///     engine.step(token, sparse: true)
///     let next = engine.withLogits { sampler.next($0) }
///
/// Results do not depend on the number of threads. A step allocates nothing.
public final class SparseEngine: TokenDecoder {
  public internal(set) var position = 0
  public internal(set) var decided = DecisionCounts()
  /// Called with what was kept at a place of a layer, for tests and measurements.
  /// Of graded weights, also with what was read whole; channels of the FFN are in one of the two lists.
  package var observe: ((_ layer: Int, _ place: SparsePlace, KeptList, _ full: KeptList?) -> Void)?
  /// Called with the rows of the output head that were read whole, where it is read on demand.
  package var observeHead: ((KeptList) -> Void)?

  var configuration: ModelConfiguration
  let capacity: Int
  let kernels: SparseKernels
  let pool: WorkerPool
  let state: EngineState
  let rotary: RotaryTables
  let unpacked: UnpackedWeights
  let weightType: WeightType
  let thresholds: Thresholds
  let table: EngineTable
  let outputHead: EngineTable
  let headOffsets: Matrix?  // [1, vocabularySize]
  private let finalNorm: [Float]
  let layers: [EngineLayer]

  // What the pool's tasks read: set before they start.
  var layer: EngineLayer
  var layerIndex = 0
  var isSparse = false
  var headTasks = 1
  var leastLogit: Float = 0
  private var tasks: EngineTasks?

  /// An engine for a bundle.
  ///
  /// - Parameters:
  ///   - cache: Where weights are mapped from that were unpacked before, and where they are unpacked to.
  ///   - capacity: The most tokens that will be decoded; the model's context unless given.
  ///   - threads: Those that share the work of a token; one a core unless given.
  /// - Throws: `BundleError` where the weights are damaged or do not fit the model, `FileError` where they cannot be read
  ///   or unpacked, `InstructionSetError` where the environment's `GAMBIT_ISA` names none.
  /// - Precondition: `capacity` and `threads` are positive.
  /// - Complexity: O(weights) where they are not in the cache.
  public convenience init(
    _ bundle: ModelBundle, cache: WeightCache = .standard(), capacity: Int? = nil, threads: Int? = nil
  ) throws {
    try self.init(
      bundle, cache.weights(of: bundle), capacity: capacity ?? bundle.configuration.contextLength,
      threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
  }

  /// - Parameters:
  ///   - capacity: The most tokens that will be decoded.
  ///   - threads: Those that share the work of a token.
  ///   - precision: What quantised weights are multiplied with; as the bundle's manifest says where `nil`.
  /// - Throws: ``BundleError`` where a tensor is missing, `InstructionSetError` where `GAMBIT_ISA` names none.
  package convenience init(
    _ bundle: ModelBundle, _ unpacked: UnpackedWeights, capacity: Int, threads: Int,
    precision: ActivationPrecision? = nil
  ) throws {
    try self.init(
      bundle, unpacked, capacity: capacity, threads: threads,
      precision: precision ?? ActivationPrecision(bundle.manifest.weights.activations),
      instructionSet: .chosen(ProcessInfo.processInfo.environment["GAMBIT_ISA"]))
  }

  init(
    _ bundle: ModelBundle, _ unpacked: UnpackedWeights, capacity: Int, threads: Int, precision: ActivationPrecision,
    instructionSet: InstructionSet
  ) throws {
    let weights = MappedWeights(unpacked)
    let (c, isInPlanes) = (bundle.configuration, bundle.weights.type.isInPlanes)
    layers = try bundle.thresholds.layers.enumerated().map {
      try EngineLayer(weights, $0, $1, c.gateActivation == .silu ? .silu : .geluTanh, isInPlanes: isInPlanes)
    }
    guard let first = layers.first else {
      throw BundleError.malformed(file: BundleFile.configuration, reason: "the model has no layers")
    }
    self.unpacked = unpacked
    weightType = bundle.weights.type
    thresholds = bundle.thresholds
    self.capacity = capacity
    configuration = c
    layer = first
    table = try EngineTable(weights, .embeddings, isInPlanes: isInPlanes)
    outputHead = c.tiedEmbeddings ? table : try EngineTable(weights, .outputHead, isInPlanes: isInPlanes)
    headOffsets = thresholds.headOffsets.map { Matrix(rows: 1, columns: $0.count, values: $0) }
    finalNorm = try weights.vector(.finalNorm) ?? []
    kernels = SparseKernels(instructionSet)
    pool = WorkerPool(threads: threads)
    state = EngineState(
      c, precision, capacity: capacity, tasks: Self.taskCount(pool.threads), isInPlanes: isInPlanes,
      rowTasks: Self.rowTasks * Self.taskCount(pool.threads))
    rotary = RotaryTables(c, positions: capacity)
    tasks = EngineTasks(self)
  }

  public func withLogits<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
    try body(UnsafeBufferPointer(state.logits.elements))
  }

  /// How many pieces the work on a matrix' rows is cut into: enough for threads to finish together, few where
  /// there is nobody to share with.
  var taskCount: Int { state.found.count }

  private static func taskCount(_ threads: Int) -> Int { threads == 1 ? 1 : min(4 * threads, 64) }

  public func step(_ token: Int32, sparse: Bool) {
    precondition(position < capacity && token >= 0 && Int(token) < configuration.vocabularySize)
    guard let tasks else { return }
    isSparse = sparse
    embed(Int(token), into: state.hidden.elements)
    VectorMath.scale(state.hidden.base, by: configuration.embeddingScale, count: state.hidden.count)
    for (index, layer) in layers.enumerated() {
      (self.layer, layerIndex) = (layer, index)
      attend(tasks)
      feedForward(tasks)
    }
    norm(finalNorm)
    computeLogits(tasks)
    position += 1
  }

  /// Forgets all tokens and what was decided.
  public func reset() {
    position = 0
    decided = DecisionCounts()
  }

  /// `normed ← rmsnorm(hidden) ⊙ weight`, and what quantised weights need of it.
  func norm(_ weight: [Float]) {
    guard let normed = state.normed.elements.baseAddress else { return }
    VectorMath.rmsNorm(state.hidden.base, weight: weight, epsilon: configuration.normEpsilon, into: normed)
    kernels.prepare(state.normed)
  }
}

/// Embeddings or output head, `[vocabularySize, hiddenSize]`.
enum EngineTable {
  case whole(WeightMatrix)
  case planes(PlanePair)

  init(_ weights: MappedWeights, _ tensor: ModelTensor, isInPlanes: Bool) throws {
    self = isInPlanes ? .planes(try PlanePair(weights, tensor)) : .whole(try weights.matrix(tensor))
  }
}

/// Where thresholds cut.
package enum SparsePlace: Sendable, CaseIterable {
  case query, key, value, output, input, ffn, down
}

/// Part `index` of `count` things that are shared out among `parts`.
func share(_ index: Int, of count: Int, among parts: Int) -> Range<Int> {
  count * index / parts..<count * (index + 1) / parts
}

/// The closures that the pool runs, made once so that a step makes none.
struct EngineTasks {
  let project: (Int) -> Void
  let heads: (Int) -> Void
  let output: (Int) -> Void
  let deciding: (Int) -> Void
  let decide: (Int) -> Void
  let down: (Int) -> Void
  let head: (Int) -> Void
  let selectRows: (Int) -> Void
  let refineRows: (Int) -> Void

  /// The engine owns these, so that they must not own it.
  init(_ engine: SparseEngine) {
    project = { [unowned(unsafe) engine] in engine.project($0) }
    heads = { [unowned(unsafe) engine] in engine.readHeads($0) }
    output = { [unowned(unsafe) engine] in engine.projectOutput($0) }
    deciding = { [unowned(unsafe) engine] in engine.projectDeciding($0) }
    decide = { [unowned(unsafe) engine] in engine.decide($0) }
    down = { [unowned(unsafe) engine] in engine.upAndDown($0) }
    head = { [unowned(unsafe) engine] in engine.computeLogits($0) }
    selectRows = { [unowned(unsafe) engine] in engine.selectRows($0) }
    refineRows = { [unowned(unsafe) engine] in engine.refineRows($0) }
  }
}
