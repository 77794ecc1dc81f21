import Checkpoints
import LinearAlgebra

/// The forward pass of a gated-FFN decoder, layer by layer over many sequences.
///
///     let pass = ForwardPass(model.configuration, longest: 512, threads: 2)
///     let states = try pass.embed(sequences, weights)
///     for layer in 0 ..< model.configuration.layerCount {
///       try pass.run(weights.layer(layer), index: layer, states, tap: DenseTap())
///     }
///     let head = try pass.outputHead(weights)
///
/// All sequences go through a layer before the next layer's weights are needed, so that a model
/// larger than memory can be run. Each sequence is computed on one thread, sequences side by side:
/// results depend neither on what else is in the batch nor on the number of threads.
public struct ForwardPass: Sendable {
  public let configuration: ModelConfiguration
  public let threads: Int
  private let rotary: RotaryTables
  private let workspaces: [Workspace]

  /// - Parameters:
  ///   - longest: Tokens of the longest sequence that will be run.
  ///   - threads: Sequences computed side by side.
  ///   - hasHighPlanes: Layers will be run with high planes, too, which takes memory for what these give.
  public init(_ configuration: ModelConfiguration, longest: Int, threads: Int, hasHighPlanes: Bool = false) {
    self.configuration = configuration
    self.threads = threads
    rotary = RotaryTables(configuration, positions: longest)
    workspaces = (0..<threads).map { _ in Workspace(configuration, tokens: longest, hasHighPlanes: hasHighPlanes) }
  }

  /// The hidden states before the first layer: the embedding of every token, scaled where the architecture does.
  ///
  /// - Throws: What `weights` throws, and `FileError` where the scratch file cannot be written.
  public func embed(
    _ sequences: [[Int32]], _ weights: any WeightSource, memoryBudget: Int = .max, scratchDirectory: String = "."
  ) throws -> HiddenStates {
    let states = try HiddenStates(
      lengths: sequences.map(\.count), width: configuration.hiddenSize, memoryBudget: memoryBudget,
      scratchDirectory: scratchDirectory)
    // Each row is read once, however often its token occurs: a source may have to unpack it.
    let known = Set(sequences.joined()).sorted()
    let rows = Dictionary(uniqueKeysWithValues: zip(known, 0...))
    let table = try weights.embeddings(of: known)
    VectorMath.scale(table.base, by: configuration.embeddingScale, count: table.count)
    let matrix = Matrix(rows: states.longest, columns: configuration.hiddenSize)
    for (index, tokens) in sequences.enumerated() {
      for (position, token) in tokens.enumerated() {
        guard let row = rows[token] else { continue }
        matrix.row(position).update(from: table.row(row), count: table.columns)
      }
      try states.store(index, from: matrix)
    }
    return states
  }

  /// Takes every sequence of `states` through one layer, in place.
  ///
  /// - Parameters:
  ///   - high: The high planes of the same weights, for taps that grade what they keep.
  ///   - layouts: How the tokens of each sequence follow each other; one after the other where it is empty.
  ///   - finished: Called with the tokens of each sequence that is done, from any thread.
  /// - Throws: What `tap` throws; `states` is then a mixture of before and after.
  /// - Complexity: O(tokens · layer weights + Σ length² · queryWidth).
  public func run(
    _ layer: LayerWeights, high: LayerWeights? = nil, index: Int, _ states: HiddenStates,
    layouts: [SequenceLayout] = [], tap: some ActivationTap, finished: @Sendable (_ tokens: Int) -> Void = { _ in }
  ) throws {
    let split = tap.decidingRows(layer: index).map { DecidingWeights(layer, upDecides: $0) }
    try forEachIndex(below: states.count, threads: threads) { worker, sequence in
      let workspace = workspaces[worker]
      let tokens = states.lengths[sequence]
      let layout = layouts.isEmpty ? SequenceLayout(prefix: tokens) : layouts[sequence]
      precondition(layout.count == tokens)
      let decoder = DecoderLayer(
        configuration: configuration, index: index, weights: layer, high: high, split: split, rotary: rotary[index],
        layout: layout)
      let context = TapContext(layer: index, sequence: sequence, worker: worker)
      try states.update(sequence, buffer: workspace.hidden) { hidden in
        try decoder(hidden, workspace, tokens: tokens, tap: tap, context)
      }
      finished(tokens)
    }
  }

  /// The final norm and output head.
  ///
  /// - Parameter hasHighPlane: Also by the high plane alone, for what is to be read ``OutputHead/onDemand(margin:)``.
  public func outputHead(_ weights: any WeightSource, hasHighPlane: Bool = false) throws -> OutputHead {
    OutputHead(
      norm: try weights.finalNorm(), weight: try weights.outputHead(), epsilon: configuration.normEpsilon,
      high: hasHighPlane ? try weights.highPlanes?.outputHead() : nil)
  }
}
