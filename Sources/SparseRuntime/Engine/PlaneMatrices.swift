import Checkpoints
import SparseKernels

/// The two planes of one matrix.
struct PlanePair {
  let high: WeightMatrix
  let low: WeightMatrix

  init(_ weights: MappedWeights, _ tensor: ModelTensor) throws {
    high = try weights.matrix(tensor, .high)
    low = try weights.matrix(tensor, .low, high: high)
  }
}

/// A layer's matrices in planes.
struct PlaneMatrices {
  // A row an input: [hiddenSize or queryWidth, outputs].
  let query: PlanePair
  let key: PlanePair
  let value: PlanePair
  let output: PlanePair
  let gateUp: PlanePair  // [2 · intermediateSize, hiddenSize]: a channel's two rows follow each other
  let down: PlanePair  // [intermediateSize, hiddenSize]: a row an input

  init(_ weights: MappedWeights, _ index: Int) throws {
    func pair(_ part: LayerTensor) throws -> PlanePair { try PlanePair(weights, .layer(index, part)) }
    query = try pair(.query)
    key = try pair(.key)
    value = try pair(.value)
    output = try pair(.output)
    gateUp = try pair(.gate)
    down = try pair(.down)
  }
}
