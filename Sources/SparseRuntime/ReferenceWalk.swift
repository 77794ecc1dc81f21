import LinearAlgebra
import SparseBundle
import ThresholdSolver

/// Takes texts through a model by the plain oracle, all of them through one layer before the next one is unpacked: one
/// layer's float32 weights are in memory at a time, whatever the model's size. Every token is computed as
/// ``ReferenceDecoder`` does it, to the bit.
enum ReferenceWalk {
  struct Text: Sendable {
    var tokens: [Int32]
    /// One a token.
    var rules: [KeepRule]
    var thresholds: Thresholds
  }

  /// The tokens of each text behind the last layer.
  ///
  /// - Parameters:
  ///   - threads: Texts side by side.
  ///   - progress: Called with the share of the work that is done, of which the output head is left over.
  /// - Throws: What `model` throws.
  /// - Complexity: O(tokens · weights).
  static func run(
    _ texts: [Text], _ model: some SparseWeightSource, threads: Int, progress: (_ share: Double) -> Void
  ) throws -> [[ReferenceToken]] {
    let constants = ReferenceToken.Constants(
      model.configuration, capacity: texts.map(\.tokens.count).max() ?? 0, precision: .exact)
    let embeddings = try model.embeddings(of: texts.flatMap(\.tokens))
    var row = 0
    var walked = texts.map { text in
      text.rules.enumerated().map { position, rule in
        defer { row += 1 }
        return ReferenceToken(embeddings.elements(row: row), at: position, rule, constants)
      }
    }
    let layers = model.configuration.layerCount
    for index in 0..<layers {
      let (layer, before) = (try model.layer(index), walked)
      walked = try mapIndices(below: texts.count, threads: threads) { text in
        var (layer, past) = (layer, ReferenceToken.Past())
        layer.thresholds = texts[text].thresholds.layers[index]
        return before[text].map { token in
          var token = token
          token.run(layer, &past)
          return token
        }
      }
      progress(Double(index + 1) / Double(layers + 1))  // the output head counts as a layer
    }
    return walked
  }
}
