import LinearAlgebra

/// A model's weights in memory-mapped files, decoded anew whenever they are asked for. Creating it checks
/// that the files hold exactly the tensors that the configuration asks for, in the right shapes.
struct StoredWeights: WeightSource {
  let configuration: ModelConfiguration
  private let catalog: any TensorCatalog
  private let naming: TensorNaming
  private let readAhead = ReadAhead()
  private let pool: MatrixPool

  /// - Throws: ``CheckpointError`` where a tensor is missing, has another shape or no float values, or
  ///   where there is one that the architecture doesn't know: ignoring it would give wrong results.
  init(
    _ catalog: any TensorCatalog, naming: TensorNaming, configuration: ModelConfiguration
  ) throws(CheckpointError) {
    self.configuration = configuration
    self.catalog = catalog
    self.naming = naming
    pool = MatrixPool(capacity: MemoryLayout<Float>.stride * configuration.layerParameterCount)
    var known: Set<String> = []
    for tensor in configuration.modelTensors {
      guard let shape = configuration.shape(of: tensor),
        !catalog.isElsewhere(naming.name(of: tensor, in: configuration.architecture))
      else { continue }
      let stored = try self.stored(tensor)
      guard stored.shape == shape else {
        throw .wrongShape(path: catalog.path, tensor: stored.name, shape: stored.shape, expected: shape)
      }
      known.insert(stored.name)
    }
    for name in catalog.tensorNames where !known.contains(name) && !naming.isRedundant(name) {
      throw .unsupported(
        path: catalog.path, feature: "a tensor '\(name)' beyond those of \(configuration.architecture.rawValue)",
        known: LayerTensor.allCases.map { naming.name(of: .layer(0, $0), in: configuration.architecture) })
    }
  }

  func layer(_ index: Int) throws(CheckpointError) -> LayerWeights {
    guard (0..<configuration.layerCount).contains(index) else {
      throw .outOfRange(item: "layer", index: index, count: configuration.layerCount)
    }
    // Models are walked through layer by layer: the next one is read while this one is computed with, and is decoded into
    // its memory then; the bytes of this one are of no more use.
    defer {
      for tensor in storedTensors(ofLayer: index) { tensor.release() }
      if index + 1 < configuration.layerCount {
        readAhead.begin(storedTensors(ofLayer: index + 1))
        pool.open()
      } else {
        pool.close()
      }
    }
    return LayerWeights(
      attentionNorm: try norm(.layer(index, .attentionNorm)),
      query: try rotary(index, .query, heads: configuration.headCount),
      key: try rotary(index, .key, heads: configuration.keyValueHeadCount),
      value: try projection(index, .value), output: try projection(index, .output),
      queryBias: try optionalVector(index, .queryBias), keyBias: try optionalVector(index, .keyBias),
      valueBias: try optionalVector(index, .valueBias),
      queryNorm: try optionalNorm(index, .queryNorm), keyNorm: try optionalNorm(index, .keyNorm),
      attentionPostNorm: try optionalNorm(index, .attentionPostNorm),
      ffnNorm: try norm(.layer(index, .ffnNorm)), gate: try projection(index, .gate),
      up: try projection(index, .up), down: try projection(index, .down),
      ffnPostNorm: try optionalNorm(index, .ffnPostNorm))
  }

  private func storedTensors(ofLayer index: Int) -> [StoredTensor] {
    let parts = LayerTensor.allCases.map { ModelTensor.layer(index, $0) }
    return parts.filter { configuration.shape(of: $0) != nil }.compactMap { try? stored($0) }
  }

  func embeddings(of tokens: [Int32]) throws(CheckpointError) -> Matrix {
    let count = configuration.vocabularySize
    if let token = tokens.first(where: { $0 < 0 || $0 >= count }) {
      throw .outOfRange(item: "token", index: Int(token), count: count)
    }
    return try stored(.embeddings).rows(tokens.map(Int.init))
  }

  func finalNorm() throws(CheckpointError) -> [Float] { try norm(.finalNorm) }

  func outputHead() throws(CheckpointError) -> Matrix {
    let head = try stored(configuration.tiedEmbeddings ? .embeddings : .outputHead)
    return head.rows(0..<head.shape[0])
  }

  func stored(_ tensor: ModelTensor) throws(CheckpointError) -> StoredTensor {
    let name = naming.name(of: tensor, in: configuration.architecture)
    guard let stored = try catalog.storedTensor(named: name) else {
      throw .missing(path: catalog.path, item: "tensor '\(name)'")
    }
    return stored
  }

  private func projection(_ layer: Int, _ part: LayerTensor) throws(CheckpointError) -> Matrix {
    let stored = try stored(.layer(layer, part))
    return stored.rows(0..<stored.shape[0], pool: pool)
  }

  private func norm(_ tensor: ModelTensor) throws(CheckpointError) -> [Float] {
    let values = try stored(tensor).values()
    return naming.storesNormsLessOne(configuration.architecture) ? values.map { 1 + $0 } : values
  }

  private func optionalNorm(_ layer: Int, _ part: LayerTensor) throws(CheckpointError) -> [Float]? {
    configuration.shape(of: .layer(layer, part)) == nil ? nil : try norm(.layer(layer, part))
  }

  private func optionalVector(_ layer: Int, _ part: LayerTensor) throws(CheckpointError) -> [Float]? {
    guard configuration.shape(of: .layer(layer, part)) != nil else { return nil }
    return try stored(.layer(layer, part)).values()
  }

  /// A query or key projection with each head's rows in half-split order.
  private func rotary(_ layer: Int, _ part: LayerTensor, heads: Int) throws(CheckpointError) -> Matrix {
    guard naming.interleavesRotaryPairs(configuration.architecture) else { return try projection(layer, part) }
    let dimension = configuration.headDimension
    let half = dimension / 2
    // Row `i` of a head's first half is stored at `2i`, its partner in the second half at `2i + 1`.
    let order = (0..<heads * dimension).map { row in
      let (head, within) = (row / dimension, row % dimension)
      return head * dimension + 2 * (within % half) + within / half
    }
    return try stored(.layer(layer, part)).rows(order, pool: pool)
  }
}
