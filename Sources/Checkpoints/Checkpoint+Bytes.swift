extension Checkpoint {
  /// The bytes of weights that decoding one token reads, as they lie in the files: of every layer, of the output head,
  /// and one row of the embedding.
  ///
  /// - Throws: ``CheckpointError``.
  /// - Complexity: O(tensors); weights are not touched.
  public var bytesPerToken: Double {
    get throws(CheckpointError) {
      guard let weights = weights as? StoredWeights else { return 4 * Double(parameterCount) }
      var bytes = 0
      for tensor in configuration.modelTensors {
        let stored = try weights.stored(tensor)
        bytes += tensor == .embeddings ? stored.range.count / configuration.vocabularySize : stored.range.count
        if tensor == .embeddings, configuration.tiedEmbeddings { bytes += stored.range.count }
      }
      return Double(bytes)
    }
  }
}
