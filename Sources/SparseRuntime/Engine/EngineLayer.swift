import Checkpoints
import LinearAlgebra
import SparseBundle
import SparseKernels
import ThresholdSolver

/// One layer as the engine reads it: matrices where they lie in the mapped file, vectors in memory of their own.
final class EngineLayer {
  let attentionNorm: [Float]  // [hiddenSize]
  let queryBias: [Float]?
  let keyBias: [Float]?
  let valueBias: [Float]?
  let queryNorm: [Float]?
  let keyNorm: [Float]?
  let attentionPostNorm: [Float]?  // [hiddenSize]
  let ffnNorm: [Float]  // [hiddenSize]
  let ffnPostNorm: [Float]?  // [hiddenSize]
  let thresholds: Thresholds.Layer
  /// Of gate and up in turn, as their sums lie: `[1, 2 · intermediateSize]`.
  let offsets: Matrix?
  let matrices: EngineMatrices
  /// A byte a channel: whether the up projection decides.
  let upDecides: UnsafeMutableBufferPointer<UInt8>?

  init(
    _ weights: MappedWeights, _ index: Int, _ thresholds: Thresholds.Layer, _ activation: KernelActivation,
    isInPlanes: Bool
  ) throws {
    func vector(_ part: LayerTensor) throws -> [Float]? { try weights.vector(.layer(index, part)) }
    attentionNorm = try vector(.attentionNorm) ?? []
    queryBias = try vector(.queryBias)
    keyBias = try vector(.keyBias)
    valueBias = try vector(.valueBias)
    queryNorm = try vector(.queryNorm)
    keyNorm = try vector(.keyNorm)
    attentionPostNorm = try vector(.attentionPostNorm)
    ffnNorm = try vector(.ffnNorm) ?? []
    ffnPostNorm = try vector(.ffnPostNorm)
    self.thresholds = thresholds
    offsets = thresholds.offsets.map { offsets in
      let turns = zip(offsets.gate, offsets.up).flatMap { [$0, $1] }
      return Matrix(rows: 1, columns: turns.count, values: turns)
    }
    upDecides = thresholds.upDecides.map { flags in
      let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: flags.count)
      _ = bytes.initialize(from: flags.map { $0 ? 1 : 0 })
      return bytes
    }
    matrices =
      isInPlanes
      ? .planes(try PlaneMatrices(weights, index))
      : .whole(
        try WholeMatrices(
          weights, index, activation, upDecides: upDecides.map { UnsafeBufferPointer($0) },
          cutsInput: thresholds.input != nil))
  }

  deinit { upDecides?.deallocate() }
}

/// A layer's matrices: of weights that are read whole or not at all, or of weights in planes.
enum EngineMatrices {
  case whole(WholeMatrices)
  case planes(PlaneMatrices)
}

struct WholeMatrices {
  let query: WeightMatrix  // [hiddenSize, queryWidth]: a row an input
  let key: WeightMatrix  // [keyValueWidth, hiddenSize]
  let value: WeightMatrix  // [keyValueWidth, hiddenSize]
  let output: WeightMatrix  // [queryWidth, hiddenSize]: a row an input
  // Both [intermediateSize, hiddenSize]. Where inputs are cut, `gate` is the deciding rows, [hiddenSize,
  // intermediateSize], and `up` the other ones.
  let gate: WeightMatrix
  let up: WeightMatrix
  let factors: FactorMatrices  // gate and up, and which decides
  let down: WeightMatrix  // [intermediateSize, hiddenSize]: a row an input

  fileprivate init(
    _ weights: MappedWeights, _ index: Int, _ activation: KernelActivation, upDecides: UnsafeBufferPointer<UInt8>?,
    cutsInput: Bool
  ) throws {
    func matrix(_ part: LayerTensor) throws -> WeightMatrix { try weights.matrix(.layer(index, part)) }
    query = try matrix(.query)
    key = try matrix(.key)
    value = try matrix(.value)
    output = try matrix(.output)
    gate = try matrix(.gate)
    up = try matrix(.up)
    down = try matrix(.down)
    // The rows that are left to read once a channel has been decided are all in one matrix where inputs are cut.
    factors = FactorMatrices(gate: cutsInput ? up : gate, up: up, activation, upDecides: upDecides)
  }

  var all: [WeightMatrix] { [query, key, value, output, gate, up, down] }
}
