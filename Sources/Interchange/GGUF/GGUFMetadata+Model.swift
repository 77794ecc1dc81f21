import Checkpoints
import ThresholdSolver
import Tokenizers

extension GGUFMetadata {
  /// Hyper-parameters by llama.cpp's keys.
  mutating func set(_ c: ModelConfiguration) {
    let prefix = c.architecture.rawValue
    set("\(prefix).vocab_size", c.vocabularySize)
    set("\(prefix).context_length", c.contextLength)
    set("\(prefix).embedding_length", c.hiddenSize)
    set("\(prefix).block_count", c.layerCount)
    set("\(prefix).feed_forward_length", c.intermediateSize)
    set("\(prefix).attention.head_count", c.headCount)
    set("\(prefix).attention.head_count_kv", c.keyValueHeadCount)
    set("\(prefix).attention.key_length", c.headDimension)
    set("\(prefix).attention.value_length", c.headDimension)
    set("\(prefix).attention.layer_norm_rms_epsilon", c.normEpsilon)
    set("\(prefix).rope.dimension_count", c.headDimension)
    set("\(prefix).rope.freq_base", Float(c.ropeBase))
  }

  /// A byte-level BPE tokenizer by llama.cpp's keys.
  mutating func set(_ tokenizer: TokenizerModel) {
    set("tokenizer.ggml.model", "gpt2")
    set("tokenizer.ggml.pre", tokenizer.preTokenizer == .gpt2 ? "gpt-2" : tokenizer.preTokenizer.rawValue)
    set("tokenizer.ggml.tokens", tokenizer.tokens)
    set("tokenizer.ggml.token_type", tokenizer.kinds.map(\.ggufNumber))
    set("tokenizer.ggml.merges", tokenizer.merges)
    if let token = tokenizer.beginOfText { set("tokenizer.ggml.bos_token_id", Int(token)) }
    if let token = tokenizer.endOfText { set("tokenizer.ggml.eos_token_id", Int(token)) }
    set("tokenizer.ggml.add_bos_token", tokenizer.addsBeginOfText)
    if let template = tokenizer.chatTemplate { set("tokenizer.chat_template", template) }
  }

  /// What `thresholds.safetensors` holds: its metadata as text under `gambit.thresholds.`, its tensors as arrays.
  mutating func set(_ thresholds: Thresholds) throws {
    let encoded = try EncodedThresholds(thresholds)
    for (key, value) in encoded.metadata { set("gambit.thresholds.\(key)", value) }
    for tensor in encoded.tensors {
      set("gambit.\(tensor.name)", tensor.type == .u8 ? .uint8 : .float32, bytes: tensor.bytes)
    }
  }
}

extension TokenizerModel.TokenKind {
  fileprivate var ggufNumber: Int32 {
    switch self {
    case .normal: 1
    case .control: 3
    case .userDefined: 4
    case .unused: 5
    case .byte: 6
    }
  }
}
