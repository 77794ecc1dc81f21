import Checkpoints
import LinearAlgebra
import SparseBundle
import ThresholdSolver

/// A model in memory, its weights lying as a sparse runtime reads them: what is skipped by input has
/// one row an input, what is skipped by output one row an output.
public struct SparseModel: Sendable {
  public struct Layer: Sendable {
    /// Which one it is, from 0.
    public let index: Int
    public var attentionNorm: [Float]  // [hiddenSize]
    public var query: Matrix  // [hiddenSize, queryWidth]: a row an input
    // Both [keyValueWidth, hiddenSize]; of graded weights [hiddenSize, keyValueWidth]: a row an input.
    public var key: Matrix
    public var value: Matrix
    public var output: Matrix  // [queryWidth, hiddenSize]: a row an input
    public var queryBias: [Float]?
    public var keyBias: [Float]?
    public var valueBias: [Float]?
    public var queryNorm: [Float]?
    public var keyNorm: [Float]?
    public var attentionPostNorm: [Float]?  // [hiddenSize]
    public var ffnNorm: [Float]  // [hiddenSize]
    public var gate: Matrix  // [intermediateSize, hiddenSize]
    public var up: Matrix  // [intermediateSize, hiddenSize]: a row an output
    public var down: Matrix  // [intermediateSize, hiddenSize]: a row an input
    public var ffnPostNorm: [Float]?  // [hiddenSize]
    public var thresholds: Thresholds.Layer
    /// What the high planes of graded weights stand for alone; `nil` of others.
    public var high: HighPlanes?
  }

  /// A layer's projections with half of their bits, each lying as the projection itself does.
  public struct HighPlanes: Sendable {
    public var query: Matrix
    public var key: Matrix
    public var value: Matrix
    public var output: Matrix
    public var gate: Matrix
    public var up: Matrix
    public var down: Matrix
  }

  /// What makes logits of the last layer's output.
  public struct Head: Sendable {
    public var norm: [Float]  // [hiddenSize]
    public var weight: Matrix  // [vocabularySize, hiddenSize]
    /// The same by the high planes of graded weights alone; `nil` of others.
    public var high: Matrix?
    /// How far below the greatest logit by high planes a row is still read whole; `nil` where all rows are.
    public var margin: Float?
    /// What is added to the logits of rows whose high planes are read alone; nothing where it is `nil`.
    public var offsets: [Float]?

    /// Takes the margin and offsets of another budget of the same bundle.
    mutating func use(_ thresholds: Thresholds) {
      margin = thresholds.headMargin
      offsets = thresholds.headOffsets
    }
  }

  public var configuration: ModelConfiguration
  public var embedding: Matrix  // [vocabularySize, hiddenSize]
  public var layers: [Layer]
  public var head: Head

  /// Unpacks a bundle's weights into memory as float32.
  ///
  /// - Throws: What reading the weights throws.
  /// - Complexity: O(weights); 4 bytes of memory each.
  public init(_ bundle: ModelBundle) throws {
    configuration = bundle.configuration
    layers = try (0..<configuration.layerCount).map { try bundle.layer($0) }
    head = try bundle.outputHead()
    embedding = configuration.tiedEmbeddings ? head.weight : try bundle.weights.stored(.embeddings)
  }

  /// Takes thresholds of another budget of the same bundle.
  ///
  /// - Precondition: There is one for each layer.
  public mutating func use(_ thresholds: Thresholds) {
    precondition(thresholds.layers.count == layers.count)
    for index in layers.indices { layers[index].thresholds = thresholds.layers[index] }
    head.use(thresholds)
  }
}
