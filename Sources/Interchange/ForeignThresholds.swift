import Checkpoints
import Files

/// Thresholds computed elsewhere, a layer each.
public struct ForeignThresholds: Sendable, Equatable {
  /// The words of `gambit import`.
  public enum Format: String, Sendable, CaseIterable, Codable {
    case chessPt = "chess-pt"
    case perChannelJSON = "per-channel-json"
  }

  /// Which of a dictionary's thresholds the FFN takes.
  public enum Rule: String, Sendable, CaseIterable, Codable {
    /// One a channel.
    case chess
    /// One a layer.
    case cats
  }

  public struct Layer: Sendable, Equatable {
    /// On each channel's gate activation, `[intermediateSize]`.
    public var ffn: [Float]
    /// On the inputs of the query and the output projection.
    public var query: Float
    public var output: Float
  }

  public var layers: [Layer]
  /// Thresholds of the FFN are shares of the token's greatest gate activation, not magnitudes.
  public var isRelative: Bool
  /// The share of channels that its makers meant to drop, where the file says it: a claim, not what they drop.
  public var claimedSparsity: Double?
  /// SHA-256 of the file.
  public var hash: String

  /// Whether inputs of attention are cut at all.
  public var cutsAttention: Bool { layers.contains { $0.query > 0 || $0.output > 0 } }

  /// Leaves attention whole.
  public mutating func dropAttention() {
    for index in layers.indices { (layers[index].query, layers[index].output) = (0, 0) }
  }

  /// - Parameter rule: Only `chess-pt` files have a choice.
  /// - Throws: ``ImportError``, or `FileError` where the file cannot be read.
  public init(path: String, _ format: Format, rule: Rule = .chess, for c: ModelConfiguration) throws {
    hash = try sha256(ofFile: path)
    switch format {
    case .chessPt:
      layers = try Self.dictionary(path, rule, c)
      isRelative = false
    case .perChannelJSON:
      let file = try PerChannelThresholds(path: path)
      layers = try Self.layers(file, path, c)
      isRelative = true
      // Layers that the file leaves out drop nothing.
      claimedSparsity = (1 - file.targetActiveFrac) * Double(file.layers.count) / Double(c.layerCount)
    }
  }

  private static func dictionary(_ path: String, _ rule: Rule, _ c: ModelConfiguration) throws -> [Layer] {
    let lists: TorchLists
    do {
      lists = try TorchLists(path: path)
    } catch let error as TorchError {
      throw ImportError.malformed(path: path, reason: error.description)
    }
    func list(_ name: String, isMissing: (Int) -> Bool) throws -> [[Float]] {
      guard let tensors = lists[name] else {
        throw ImportError.malformed(path: path, reason: "there is no '\(name)' in it")
      }
      guard tensors.count == c.layerCount else {
        throw ImportError.otherShape(
          path: path, reason: "'\(name)' has \(tensors.count) layers, the model \(c.layerCount)")
      }
      for (index, values) in tensors.enumerated() {
        guard !isMissing(values.count) else {
          throw ImportError.otherShape(
            path: path, reason: "layer \(index) of '\(name)' has \(values.count) thresholds")
        }
        guard values.allSatisfy({ $0 >= 0 }) else {
          throw ImportError.malformed(
            path: path, reason: "layer \(index) of '\(name)' has thresholds that are negative or no numbers")
        }
      }
      return tensors
    }
    let query = try list(CHESSDictionary.Name.attentionInputs) { $0 != 1 }
    let output = try list(CHESSDictionary.Name.attentionOutputs) { $0 != 1 }
    let ffn =
      switch rule {
      case .chess: try list(CHESSDictionary.Name.chess) { $0 != c.intermediateSize }
      case .cats:
        try list(CHESSDictionary.Name.cats) { $0 != 1 }.map { [Float](repeating: $0[0], count: c.intermediateSize) }
      }
    return ffn.indices.map { Layer(ffn: ffn[$0], query: query[$0][0], output: output[$0][0]) }
  }

  private static func layers(
    _ file: PerChannelThresholds, _ path: String, _ c: ModelConfiguration
  ) throws(ImportError) -> [Layer] {
    guard file.nIntermediate == c.intermediateSize else {
      throw .otherShape(
        path: path, reason: "it is for \(file.nIntermediate) channels, the model has \(c.intermediateSize)")
    }
    if let layer = file.layers.first(where: { !(0..<c.layerCount).contains($0.layerId) }) {
      throw .otherShape(path: path, reason: "it has a layer \(layer.layerId), the model \(c.layerCount) layers")
    }
    let known = Dictionary(uniqueKeysWithValues: file.layers.map { ($0.layerId, $0.thresholds) })
    return (0..<c.layerCount).map { index in
      // No ratio exceeds 1.
      let ffn = known[index]?.map { $0 > 1 ? .infinity : $0 }
      return Layer(ffn: ffn ?? [Float](repeating: 0, count: c.intermediateSize), query: 0, output: 0)
    }
  }
}
