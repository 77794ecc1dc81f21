import ActivationStatistics
import Checkpoints
import Transformer

/// The logits of a forward pass, `[tokens, vocabulary]` a sequence.
public func logits(
  _ weights: any WeightSource, _ sequences: [[Int32]], threads: Int = 1, memoryBudget: Int = .max,
  scratchDirectory: String = ".", tap: (_ layer: Int) -> any ActivationTap = { _ in DenseTap() }
) throws -> [[Float]] {
  let high = weights.highPlanes
  let pass = ForwardPass(
    weights.configuration, longest: sequences.map(\.count).max() ?? 0, threads: threads, hasHighPlanes: high != nil)
  let states = try pass.embed(
    sequences, weights, memoryBudget: memoryBudget, scratchDirectory: scratchDirectory)
  for layer in 0..<weights.configuration.layerCount {
    try pass.run(weights.layer(layer), high: high?.layer(layer), index: layer, states, tap: tap(layer))
  }
  let head = try pass.outputHead(weights)
  return try sequences.indices.map { index in
    let hidden = try states.sequence(index)
    return head.logits(hidden, rows: 0..<hidden.rows).values
  }
}

/// The statistics of every layer over some sequences; with scores where weights lie in planes.
///
/// - Parameter offsets: Of high planes, one a layer; none where it is empty.
public func collectStatistics(
  _ weights: any WeightSource, _ sequences: [[Int32]], sinkPositions: Int, threads: Int = 1,
  offsets: [PlaneOffsets] = []
) throws -> [LayerRecord] {
  let c = weights.configuration
  let high = weights.highPlanes
  let widths = LayerWidths(
    hidden: c.hiddenSize, query: c.queryWidth, intermediate: c.intermediateSize, hasScores: high != nil)
  let pass = ForwardPass(
    c, longest: sequences.map(\.count).max() ?? 0, threads: threads, hasHighPlanes: high != nil)
  let states = try pass.embed(sequences, weights)
  return try (0..<c.layerCount).map { layer in
    let collector = StatisticsCollector(widths, sinkPositions: sinkPositions, workers: threads)
    if !offsets.isEmpty { collector.use(offsets[layer]) }
    try pass.run(weights.layer(layer), high: high?.layer(layer), index: layer, states, tap: collector)
    return try collector.finish(layer: layer)
  }
}

/// The calibration tokens of `statistics/llama.safetensors`: `[16][64]`.
public func calibrationSequences() throws -> [[Int32]] {
  let file = try SharedFixtures.safetensors("statistics/llama.safetensors")
  return try file.integers(of: "ids").split(into: file.rows(of: "ids"))
}
