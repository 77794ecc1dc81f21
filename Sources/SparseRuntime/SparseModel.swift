import Checkpoints
import LinearAlgebra
import ThresholdSolver

/// A model in memory, its weights lying as a sparse runtime reads them: what is skipped by input has
/// one row an input, what is skipped by output one row an output.
public struct SparseModel: Sendable {
  public struct Layer: Sendable {
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

    public init(
      attentionNorm: [Float], query: Matrix, key: Matrix, value: Matrix, output: Matrix,
      queryBias: [Float]?, keyBias: [Float]?, valueBias: [Float]?, queryNorm: [Float]?, keyNorm: [Float]?,
      attentionPostNorm: [Float]?, ffnNorm: [Float], gate: Matrix, up: Matrix, down: Matrix, ffnPostNorm: [Float]?,
      thresholds: Thresholds.Layer, high: HighPlanes? = nil
    ) {
      self.attentionNorm = attentionNorm
      self.query = query
      self.key = key
      self.value = value
      self.output = output
      self.queryBias = queryBias
      self.keyBias = keyBias
      self.valueBias = valueBias
      self.queryNorm = queryNorm
      self.keyNorm = keyNorm
      self.attentionPostNorm = attentionPostNorm
      self.ffnNorm = ffnNorm
      self.gate = gate
      self.up = up
      self.down = down
      self.ffnPostNorm = ffnPostNorm
      self.thresholds = thresholds
      self.high = high
    }
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

    public init(
      query: Matrix, key: Matrix, value: Matrix, output: Matrix, gate: Matrix, up: Matrix, down: Matrix
    ) {
      self.query = query
      self.key = key
      self.value = value
      self.output = output
      self.gate = gate
      self.up = up
      self.down = down
    }
  }

  public var configuration: ModelConfiguration
  public var embedding: Matrix  // [vocabularySize, hiddenSize]
  public var layers: [Layer]
  public var finalNorm: [Float]  // [hiddenSize]
  public var outputHead: Matrix  // [vocabularySize, hiddenSize]
  /// The same by the high planes of graded weights alone; `nil` of others.
  public var highOutputHead: Matrix?
  /// How far below the greatest logit by high planes a row of the head is still read whole; `nil` where all rows are.
  public var headMargin: Float?
  /// What is added to the logits of rows whose high planes are read alone; nothing where it is `nil`.
  public var headOffsets: [Float]?

  public init(
    configuration: ModelConfiguration, embedding: Matrix, layers: [Layer], finalNorm: [Float], outputHead: Matrix,
    highOutputHead: Matrix? = nil, headMargin: Float? = nil, headOffsets: [Float]? = nil
  ) {
    self.configuration = configuration
    self.embedding = embedding
    self.layers = layers
    self.finalNorm = finalNorm
    self.outputHead = outputHead
    self.highOutputHead = highOutputHead
    self.headMargin = headMargin
    self.headOffsets = headOffsets
  }

  /// Takes thresholds of another budget of the same bundle.
  ///
  /// - Precondition: There is one for each layer.
  public mutating func use(_ thresholds: Thresholds) {
    precondition(thresholds.layers.count == layers.count)
    for index in layers.indices { layers[index].thresholds = thresholds.layers[index] }
    headMargin = thresholds.headMargin
    headOffsets = thresholds.headOffsets
  }
}
