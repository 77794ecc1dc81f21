import Checkpoints
import Files
import LinearAlgebra
import SparseBundle
import ThresholdSolver
import Tokenizers

/// A bundle as one GGUF file: the dense model as llama.cpp's converter lays it out, and the thresholds as metadata under
/// `gambit.`, which runtimes that do not know them pass over. `Documentation/handoff.md` lists the keys.
public struct GGUFHandoff: Sendable {
  private let bundle: ModelBundle
  private let tokenizer: TokenizerModel
  private let weights: GGUFWeights

  /// Rows of the embedding matrix that are in memory at a time.
  private static let rowsAtOnce = 4096

  /// - Parameter weights: The type of the matrices; that of the bundle where the format has it, or else `f32`, unless given.
  /// - Throws: ``HandoffError/cannotCarry(_:format:instead:)``, or what reading the bundle throws.
  public init(_ bundle: ModelBundle, weights: GGUFWeights? = nil) throws {
    self.bundle = bundle
    self.weights = weights ?? GGUFWeights(rawValue: bundle.manifest.weights.type.rawValue) ?? .f32
    tokenizer = try bundle.tokenizer
    try checkCarries()
  }

  /// Writes the file, whole or not at all, after it was read back.
  ///
  /// - Parameter progress: Called with the number of weights written so far.
  /// - Complexity: O(weights) time; memory for a layer.
  public func write(to path: String, progress: (_ weights: Int) -> Void = { _ in }) throws {
    let c = bundle.configuration
    let divisors = c.ropeFrequencyDivisors
    var tensors = c.modelTensors.map { GGUFWriter.Tensor($0, c, weights.encoding) }
    if let divisors { tensors.append(.init(name: "rope_freqs.weight", shape: [divisors.count], encoding: .f32)) }
    try writeAtomically(to: path) { temporary in
      var layer: (index: Int, weights: LayerWeights)?
      var written = 0
      try GGUFWriter(metadata: metadata).write(to: temporary, tensors) { index, sink in
        guard index < c.modelTensors.count else { return try sink(bytes(divisors ?? [])) }
        let tensor = c.modelTensors[index]
        if case .layer(let index, _) = tensor, layer?.index != index {
          layer = (index, try bundle.weights.layer(index))
        }
        try write(tensor, layer?.weights, sink)
        written += tensors[index].shape.reduce(1, *)
        progress(written)
      }
      guard try readsBack(temporary) else { throw HandoffError.unfaithful(path: path) }
    }
  }

  // MARK: What the format can carry

  private func checkCarries() throws(HandoffError) {
    func refuse(_ what: String, instead: String) -> HandoffError {
      .cannotCarry(what, format: .gguf, instead: instead)
    }
    let c = bundle.configuration
    if bundle.manifest.weights.type.isInPlanes {
      throw refuse("weights in planes, which its thresholds grade", instead: "export thresholds of another method")
    }
    if tokenizer.preTokenizer == .sentencePiece {
      throw refuse("this tokenizer, whose merges do not say its scores", instead: "use the model's own GGUF file")
    }
    if c.slidingWindow.map({ $0 < c.contextLength }) == true {
      throw refuse(
        "an attention window, which llama.cpp leaves out of this architecture", instead: "use another format")
    }
    for tensor in c.modelTensors {
      guard let shape = c.shape(of: tensor), shape.count == 2, shape[1] % weights.encoding.weightsPerBlock != 0 else {
        continue
      }
      throw refuse("rows of \(shape[1]) weights as \(weights.rawValue)", instead: "choose f16 or f32")
    }
  }

  private func readsBack(_ path: String) throws -> Bool {
    let checkpoint = try Checkpoint.open(path)
    let (found, wanted) = (try checkpoint.tokenizer, tokenizer)
    return checkpoint.configuration == bundle.configuration && found.tokens == wanted.tokens
      && found.merges == wanted.merges && found.endOfText == wanted.endOfText && found.kinds == wanted.kinds
  }

  // MARK: Weights

  private func write(_ tensor: ModelTensor, _ layer: LayerWeights?, _ sink: ([UInt8]) throws -> Void) throws {
    switch tensor {
    case .embeddings:
      let count = Int32(bundle.configuration.vocabularySize)
      for start in stride(from: 0, to: count, by: Self.rowsAtOnce) {
        try write(bundle.weights.embeddings(of: Array(start..<min(start + Int32(Self.rowsAtOnce), count))), sink)
      }
    case .finalNorm: try sink(bytes(bundle.weights.finalNorm()))
    case .outputHead: try write(bundle.weights.outputHead(), sink)
    case .layer(_, let part):
      guard let layer else { return }
      if let vector = layer.vector(part) { return try sink(bytes(vector)) }
      guard let matrix = layer.matrix(part) else { return }
      let c = bundle.configuration
      let isRotary = part == .query || part == .key
      try write(
        isRotary && TensorNaming.gguf.interleavesRotaryPairs(c.architecture)
          ? matrix.interleavingHalves(ofEach: c.headDimension) : matrix, sink)
    }
  }

  private func write(_ matrix: Matrix, _ sink: ([UInt8]) throws -> Void) throws {
    for row in 0..<matrix.rows {
      try sink(weights.bytes(of: UnsafeBufferPointer(start: matrix.row(row), count: matrix.columns)))
    }
    withExtendedLifetime(matrix) {}
  }

  private func bytes(_ vector: [Float]) -> [UInt8] { vector.withUnsafeBufferPointer { GGUFWeights.f32.bytes(of: $0) } }

  // MARK: Metadata

  private var metadata: GGUFMetadata {
    get throws {
      var metadata = GGUFMetadata()
      metadata.set("general.architecture", bundle.configuration.architecture.rawValue)
      metadata.set("general.name", bundle.manifest.model.name)
      metadata.set("general.file_type", weights.fileType)
      if weights == .q8_0 { metadata.set("general.quantization_version", 2) }
      metadata.set(bundle.configuration)
      metadata.set(tokenizer)
      try metadata.set(bundle.thresholds)
      return metadata
    }
  }
}

extension GGUFWriter.Tensor {
  fileprivate init(_ tensor: ModelTensor, _ c: ModelConfiguration, _ encoding: WeightEncoding) {
    let shape = c.shape(of: tensor) ?? []
    self.init(
      name: TensorNaming.gguf.name(of: tensor, in: c.architecture), shape: shape,
      encoding: shape.count == 2 ? encoding : .f32)
  }
}

extension LayerWeights {
  fileprivate func matrix(_ part: LayerTensor) -> Matrix? {
    switch part {
    case .query: query
    case .key: key
    case .value: value
    case .output: output
    case .gate: gate
    case .up: up
    case .down: down
    default: nil
    }
  }

  fileprivate func vector(_ part: LayerTensor) -> [Float]? {
    switch part {
    case .attentionNorm: attentionNorm
    case .queryBias: queryBias
    case .keyBias: keyBias
    case .valueBias: valueBias
    case .queryNorm: queryNorm
    case .keyNorm: keyNorm
    case .attentionPostNorm: attentionPostNorm
    case .ffnNorm: ffnNorm
    case .ffnPostNorm: ffnPostNorm
    default: nil
    }
  }
}

extension Matrix {
  /// Each head's rows in the order of llama.cpp's converter: the two halves of each rotary pair are neighbours.
  fileprivate func interleavingHalves(ofEach dimension: Int) -> Matrix {
    let (half, result) = (dimension / 2, Matrix(rows: rows, columns: columns))
    for row in 0..<rows {
      let within = row % dimension
      let source = row - within + within / 2 + (within % 2) * half
      result.row(row).update(from: self.row(source), count: columns)
    }
    return result
  }
}
