import LinearAlgebra

/// The weights of one decoder layer as float32. Projections are `[outputs, inputs]`, as in Hugging
/// Face checkpoints; query and key rows are in the half-split rotary order, whatever the file's. Norms
/// are the factors themselves, also those of Gemma, whose checkpoints may store them less one.
public struct LayerWeights: Sendable {
  public var attentionNorm: [Float]  // [hiddenSize]
  public var query: Matrix  // [queryWidth, hiddenSize]
  public var key: Matrix  // [keyValueWidth, hiddenSize]
  public var value: Matrix  // [keyValueWidth, hiddenSize]
  public var output: Matrix  // [hiddenSize, queryWidth]
  public var queryBias: [Float]?  // [queryWidth]
  public var keyBias: [Float]?  // [keyValueWidth]
  public var valueBias: [Float]?  // [keyValueWidth]
  public var queryNorm: [Float]?  // [headDimension]
  public var keyNorm: [Float]?  // [headDimension]
  public var attentionPostNorm: [Float]?  // [hiddenSize]
  public var ffnNorm: [Float]  // [hiddenSize]
  public var gate: Matrix  // [intermediateSize, hiddenSize]
  public var up: Matrix  // [intermediateSize, hiddenSize]
  public var down: Matrix  // [hiddenSize, intermediateSize]
  public var ffnPostNorm: [Float]?  // [hiddenSize]

  public init(
    attentionNorm: [Float], query: Matrix, key: Matrix, value: Matrix, output: Matrix,
    queryBias: [Float]? = nil, keyBias: [Float]? = nil, valueBias: [Float]? = nil,
    queryNorm: [Float]? = nil, keyNorm: [Float]? = nil, attentionPostNorm: [Float]? = nil,
    ffnNorm: [Float], gate: Matrix, up: Matrix, down: Matrix, ffnPostNorm: [Float]? = nil
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
  }
}

/// Hands out a model's weights a part at a time, so that a model larger than memory can be run
/// layer by layer. Nothing is kept: the caller decides how long a layer lives.
public protocol WeightSource: Sendable {
  var configuration: ModelConfiguration { get }

  /// Dequantised weights of layer `index`. Complexity: O(the layer's weights).
  func layer(_ index: Int) throws -> LayerWeights

  /// One row a token, `[tokens.count, hiddenSize]`; only those rows are read.
  /// Throws where a token is outside the vocabulary.
  func embeddings(of tokens: [Int32]) throws -> Matrix

  /// The weight of the RMSNorm before the output head, `[hiddenSize]`.
  func finalNorm() throws -> [Float]

  /// The same model by the high planes of its weights' codes alone; `nil` where weights do not lie in planes.
  var highPlanes: (any WeightSource)? { get }

  /// `[vocabularySize, hiddenSize]`; the embedding matrix where embeddings are tied.
  func outputHead() throws -> Matrix
}

extension WeightSource {
  public var highPlanes: (any WeightSource)? { nil }
}
