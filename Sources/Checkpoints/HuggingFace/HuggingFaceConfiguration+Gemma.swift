extension HuggingFaceConfiguration {
  /// What Gemma 3 has beyond other decoders: windows in most layers, rotary positions of their own there, and
  /// scores divided by another number than the head dimension.
  ///
  /// - Throws: ``CheckpointError`` for caps on scores or logits, and attention that looks ahead.
  func readGemmaAttention(into configuration: inout ModelConfiguration, _ path: String) throws(CheckpointError) {
    for (key, cap) in [
      ("attn_logit_softcapping", attnLogitSoftcapping), ("final_logit_softcapping", finalLogitSoftcapping),
    ] {
      if let cap { throw .unsupported(path: path, feature: "\(key) \(cap)", known: ["null"]) }
    }
    if useBidirectionalAttention == true {
      throw .unsupported(path: path, feature: "use_bidirectional_attention", known: ["false"])
    }
    let scalar = queryPreAttnScalar ?? 256
    configuration.queryPreAttentionScalar = scalar == Double(configuration.headDimension) ? nil : scalar

    let globalLayers = try globalLayers(count: configuration.layerCount, path)
    guard globalLayers.contains(false) else { return }
    configuration.slidingWindow = slidingWindow ?? 4096
    configuration.globalLayers = globalLayers
    let local = ropeParameters?.slidingAttention
    if let type = local?.ropeType ?? local?.type, type != "default" {
      throw .unsupported(path: path, feature: "rope scaling '\(type)' of sliding_attention", known: ["default"])
    }
    configuration.localRopeBase = local?.ropeTheta ?? ropeLocalBaseFreq ?? 10_000
  }

  private func globalLayers(count: Int, _ path: String) throws(CheckpointError) -> [Bool] {
    if let types = layerTypes {
      let known = ["full_attention", "sliding_attention"]
      if let other = types.first(where: { !known.contains($0) }) {
        throw .unsupported(path: path, feature: "a layer of type '\(other)'", known: known)
      }
      guard types.count == count else {
        throw .malformed(path: path, problem: "its layer types are \(types.count) for \(count) layers")
      }
      return types.map { $0 == "full_attention" }
    }
    let period = slidingWindowPattern ?? 6
    guard period > 0 else { throw .malformed(path: path, problem: "'sliding_window_pattern' is \(period)") }
    return (0..<count).map { ($0 + 1).isMultiple(of: period) }
  }
}

extension Architecture {
  /// What `config.json` calls it.
  var modelType: String { self == .gemma3 ? "gemma3_text" : rawValue }
}
