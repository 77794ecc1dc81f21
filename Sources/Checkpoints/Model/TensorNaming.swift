/// How a format names tensors, and in which order it keeps the rows of query and key.
package enum TensorNaming: Sendable {
  case gguf
  case huggingFace

  /// - Parameter architecture: Gemma and the others call different norms by the same name.
  package func name(of tensor: ModelTensor, in architecture: Architecture) -> String {
    switch (self, tensor) {
    case (.gguf, .embeddings): "token_embd.weight"
    case (.gguf, .finalNorm): "output_norm.weight"
    case (.gguf, .outputHead): "output.weight"
    case (.gguf, .layer(let index, let part)): "blk.\(index).\(ggufName(of: part))"
    case (.huggingFace, .embeddings): "model.embed_tokens.weight"
    case (.huggingFace, .finalNorm): "model.norm.weight"
    case (.huggingFace, .outputHead): "lm_head.weight"
    case (.huggingFace, .layer(let index, let part)):
      "model.layers.\(index).\(huggingFaceName(of: part, in: architecture))"
    }
  }

  /// llama.cpp's converter reorders query and key rows of Llama so that the two halves of each rotary
  /// pair are neighbours; Qwen's stay in Hugging Face's half-split order.
  package func interleavesRotaryPairs(_ architecture: Architecture) -> Bool {
    self == .gguf && architecture == .llama
  }

  /// `transformers` keeps the norms of Gemma less one; llama.cpp's converter adds it.
  package func storesNormsLessOne(_ architecture: Architecture) -> Bool {
    self == .huggingFace && architecture == .gemma3
  }

  /// Tensors that say nothing new: tables computed from the configuration, a tied head's copy.
  func isRedundant(_ name: String) -> Bool {
    switch self {
    case .gguf: name == "rope_freqs.weight"
    case .huggingFace: name == "lm_head.weight" || name.hasSuffix(".rotary_emb.inv_freq")
    }
  }

  private func ggufName(of part: LayerTensor) -> String {
    switch part {
    case .attentionNorm: "attn_norm.weight"
    case .query: "attn_q.weight"
    case .key: "attn_k.weight"
    case .value: "attn_v.weight"
    case .output: "attn_output.weight"
    case .queryBias: "attn_q.bias"
    case .keyBias: "attn_k.bias"
    case .valueBias: "attn_v.bias"
    case .queryNorm: "attn_q_norm.weight"
    case .keyNorm: "attn_k_norm.weight"
    case .attentionPostNorm: "post_attention_norm.weight"
    case .ffnNorm: "ffn_norm.weight"
    case .gate: "ffn_gate.weight"
    case .up: "ffn_up.weight"
    case .down: "ffn_down.weight"
    case .ffnPostNorm: "post_ffw_norm.weight"
    }
  }

  private func huggingFaceName(of part: LayerTensor, in architecture: Architecture) -> String {
    switch part {
    case .attentionNorm: "input_layernorm.weight"
    case .query: "self_attn.q_proj.weight"
    case .key: "self_attn.k_proj.weight"
    case .value: "self_attn.v_proj.weight"
    case .output: "self_attn.o_proj.weight"
    case .queryBias: "self_attn.q_proj.bias"
    case .keyBias: "self_attn.k_proj.bias"
    case .valueBias: "self_attn.v_proj.bias"
    case .queryNorm: "self_attn.q_norm.weight"
    case .keyNorm: "self_attn.k_norm.weight"
    case .attentionPostNorm: "post_attention_layernorm.weight"
    // Where nothing is normed behind attention, the FFN's norm is the one after attention.
    case .ffnNorm:
      architecture == .gemma3 ? "pre_feedforward_layernorm.weight" : "post_attention_layernorm.weight"
    case .gate: "mlp.gate_proj.weight"
    case .up: "mlp.up_proj.weight"
    case .down: "mlp.down_proj.weight"
    case .ffnPostNorm: "post_feedforward_layernorm.weight"
    }
  }
}
