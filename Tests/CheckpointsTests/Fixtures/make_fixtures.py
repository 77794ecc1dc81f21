"""Makes the fixtures of CheckpointsTests, and the values that the tests expect in them.

Run from anywhere: python make_fixtures.py. Made with gguf 0.19.0, numpy 2.4.6, safetensors 0.8.0,
tokenizers 0.23.3, torch 2.15.0 and transformers 5.23.0. Weights are random numbers of a fixed seed.

  encodings.gguf, encodings.safetensors   one tensor for each encoding, and its values by gguf.quants
  llama.gguf, qwen2.gguf, ...             tiny models as llama.cpp's converter lays them out
  llama.safetensors, ...                  their values by gguf.quants, by Hugging Face's names and row order
  huggingface/                            a sharded bfloat16 directory as save_pretrained writes it
  huggingface.safetensors                 its values as float32
  hashes.json                             SHA-256 of qwen2.gguf, and of `sha256sum *` in huggingface/
  rope/*.json, rope.safetensors           configurations, and transformers' divisors of their frequencies
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from gguf import GGMLQuantizationType as Q
from gguf import GGUFWriter, TokenType
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoConfig, LlamaConfig, LlamaForCausalLM
from transformers.modeling_gguf_pytorch_utils import LlamaTensorProcessor
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

HERE = Path(__file__).parent
random = np.random.default_rng(20250101)

HIDDEN, INTERMEDIATE, LAYERS, HEADS, KV_HEADS, VOCABULARY = 32, 64, 2, 4, 2, 48


# Where blocks of these encodings have their binary16 scales, in bytes.
SCALES = {Q.Q4_K: (0, 2), Q.Q5_K: (0, 2), Q.Q6_K: (208,), Q.Q2_K: (80, 82), Q.Q3_K: (108,), Q.IQ4_NL: (0,)}


def normal(*shape):
    return random.standard_normal(shape, dtype=np.float32)


def random_blocks(encoding, rows, columns, random=random):
    """Random valid blocks: any bits are, so long as the binary16 scales are finite."""
    weights, size = GGML_QUANT_SIZES[encoding]
    blocks = random.integers(0, 256, (rows * columns // weights, size), dtype=np.uint8)
    for offset in SCALES[encoding]:
        scales = random.standard_normal(len(blocks)).astype(np.float16)
        blocks[:, offset : offset + 2] = scales[:, None].view(np.uint8)
    return blocks.reshape(rows, -1)


def encodings():
    writer = GGUFWriter(HERE / "encodings.gguf", "none")
    expected = {}
    later = np.random.default_rng(20261124)  # of its own, so that a new encoding changes no other fixture
    for encoding in (Q.F32, Q.F16, Q.BF16, Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q8_0, *SCALES):
        if encoding in SCALES:
            source = later if encoding in (Q.Q2_K, Q.Q3_K, Q.IQ4_NL) else random
            stored = random_blocks(encoding, 3, 512, source)
        else:
            values = normal(3, 96)
            values[0, :32] = 0
            values[1, :32] *= 1e-6  # binary16 subnormals, also as scales
            values[2, :32] *= 1e3
            stored = quantize(values, encoding)
        writer.add_tensor(encoding.name, stored, raw_dtype=encoding)
        expected[encoding.name] = dequantize(stored, encoding)
    write(writer)
    save_file(expected, HERE / "encodings.safetensors")


def permute(weight, heads):
    """Neighbouring rotary pairs, as llama.cpp's convert_hf_to_gguf.py writes query and key of Llama."""
    permuted = weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)
    restored = LlamaTensorProcessor()._reverse_permute_weights(permuted, HEADS, heads)
    assert np.array_equal(restored, weight)
    return permuted


def gguf_model(architecture, head_dimension):
    queries, keys = HEADS * head_dimension, KV_HEADS * head_dimension
    writer = GGUFWriter(HERE / f"{architecture}.gguf", architecture)
    writer.add_name(f"Tiny {architecture}")
    writer.add_block_count(LAYERS)
    writer.add_context_length(256)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INTERMEDIATE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(50000.0)
    if head_dimension != HIDDEN // HEADS:
        writer.add_key_length(head_dimension)
        writer.add_value_length(head_dimension)
    if architecture == "gemma3":
        writer.add_sliding_window(5)
        writer.add_sliding_window_pattern(2)
        sentencepiece(writer)
    else:
        tokenizer(writer, architecture)
    expected = {}

    def add(gguf_name, name, shape, encoding=Q.F32, heads=None):
        stored = quantize(normal(*shape), encoding)
        values = dequantize(stored, encoding)
        expected[name] = values
        if heads is not None and architecture == "llama":
            stored = permute(stored, heads)
        writer.add_tensor(gguf_name, stored, raw_dtype=encoding)

    add("token_embd.weight", "model.embed_tokens.weight", (VOCABULARY, HIDDEN), Q.Q8_0)
    for i in range(LAYERS):
        theirs, ours = f"blk.{i}", f"model.layers.{i}"
        add(f"{theirs}.attn_norm.weight", f"{ours}.input_layernorm.weight", (HIDDEN,))
        add(f"{theirs}.attn_q.weight", f"{ours}.self_attn.q_proj.weight", (queries, HIDDEN), Q.Q4_1, HEADS)
        add(f"{theirs}.attn_k.weight", f"{ours}.self_attn.k_proj.weight", (keys, HIDDEN), Q.Q4_1, KV_HEADS)
        add(f"{theirs}.attn_v.weight", f"{ours}.self_attn.v_proj.weight", (keys, HIDDEN), Q.Q5_0)
        add(f"{theirs}.attn_output.weight", f"{ours}.self_attn.o_proj.weight", (HIDDEN, queries), Q.F16)
        if architecture == "qwen2":
            for letter, width in (("q", queries), ("k", keys), ("v", keys)):
                add(f"{theirs}.attn_{letter}.bias", f"{ours}.self_attn.{letter}_proj.bias", (width,))
        if architecture in ("qwen3", "gemma3"):
            for letter in "qk":
                name = f"{ours}.self_attn.{letter}_norm.weight"
                add(f"{theirs}.attn_{letter}_norm.weight", name, (head_dimension,))
        if architecture == "gemma3":
            # As the converter leaves them: with the one that transformers adds.
            add(f"{theirs}.post_attention_norm.weight", f"{ours}.post_attention_layernorm.weight", (HIDDEN,))
            add(f"{theirs}.ffn_norm.weight", f"{ours}.pre_feedforward_layernorm.weight", (HIDDEN,))
            add(f"{theirs}.post_ffw_norm.weight", f"{ours}.post_feedforward_layernorm.weight", (HIDDEN,))
        else:
            add(f"{theirs}.ffn_norm.weight", f"{ours}.post_attention_layernorm.weight", (HIDDEN,))
        add(f"{theirs}.ffn_gate.weight", f"{ours}.mlp.gate_proj.weight", (INTERMEDIATE, HIDDEN), Q.Q4_0)
        add(f"{theirs}.ffn_up.weight", f"{ours}.mlp.up_proj.weight", (INTERMEDIATE, HIDDEN), Q.Q5_1)
        add(f"{theirs}.ffn_down.weight", f"{ours}.mlp.down_proj.weight", (HIDDEN, INTERMEDIATE), Q.BF16)
    add("output_norm.weight", "model.norm.weight", (HIDDEN,))
    if architecture == "llama":
        add("output.weight", "lm_head.weight", (VOCABULARY, HIDDEN), Q.Q8_0)
        writer.add_tensor("rope_freqs.weight", np.array([1, 1, 2.5, 8], np.float32))
    write(writer)
    save_file(expected, HERE / f"{architecture}.safetensors")


def tokenizer(writer, architecture):
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe" if architecture == "llama" else "qwen2")
    writer.add_token_list([chr(ord("!") + i) for i in range(VOCABULARY - 3)] + ["!!", "<extra>", "<|end|>"])
    types = [TokenType.NORMAL] * (VOCABULARY - 2) + [TokenType.USER_DEFINED, TokenType.CONTROL]
    writer.add_token_types(types)
    writer.add_token_merges(["! !"])
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(VOCABULARY - 1)
    if architecture == "qwen2":
        writer.add_add_bos_token(False)
        writer.add_chat_template("{{ messages }}")


def sentencepiece(writer):
    """The head of a Gemma vocabulary, with a few tokens that merge."""
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", "\n", "  ", "▁a", "▁ab", "ab", "▁", "a", "b"]
    tokens += [f"<0x{byte:02X}>" for byte in range(VOCABULARY - len(tokens))]
    kinds = [TokenType.CONTROL] * 3 + [TokenType.UNKNOWN] + [TokenType.USER_DEFINED] * 2 + [TokenType.NORMAL] * 6
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores([-1000.0] * 6 + [0.0, -1.0, -2.0, -3.0, -4.0, -5.0] + [0.0] * (VOCABULARY - 12))
    writer.add_token_types(kinds + [TokenType.BYTE] * (VOCABULARY - len(kinds)))
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(1)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)


def write(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def hugging_face():
    torch.manual_seed(0)
    folder = HERE / "huggingface"
    shutil.rmtree(folder, ignore_errors=True)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=HIDDEN, intermediate_size=INTERMEDIATE, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=KV_HEADS, max_position_embeddings=16384,
        rms_norm_eps=1e-5, tie_word_embeddings=True, initializer_range=1.0, rope_parameters=dict(LLAMA3))  # fmt: skip
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(folder, max_shard_size="20KB")
    small_tokenizer().save(str(folder / "tokenizer.json"))
    tied = {"lm_head.weight"}
    values = {k: v.float().numpy() for k, v in model.state_dict().items() if k not in tied}
    save_file(values, HERE / "huggingface.safetensors")


def small_tokenizer():
    """Byte-level BPE of GPT-2's kind, with as many tokens as the model has embeddings."""
    alphabet = [chr(ord("!") + i) for i in range(VOCABULARY - 2)]
    vocabulary = {text: i for i, text in enumerate(alphabet + ["!!"])}
    result = Tokenizer(models.BPE(vocabulary, [("!", "!")]))
    result.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    result.decoder = decoders.ByteLevel()
    result.add_special_tokens(["<|end|>"])
    return result


LLAMA3 = dict(
    rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
    original_max_position_embeddings=8192)  # fmt: skip


def rope():
    folder = HERE / "rope"
    folder.mkdir(exist_ok=True)
    base = dict(
        model_type="llama", hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32,
        num_key_value_heads=8, head_dim=64, vocab_size=128256, max_position_embeddings=131072, rms_norm_eps=1e-5,
        tie_word_embeddings=True)  # fmt: skip
    old = {k: v for k, v in LLAMA3.items() if k != "rope_theta"} | {"factor": 32.0}
    configurations = {
        "llama3-v4": base | dict(rope_theta=500000.0, rope_scaling=old),
        "llama3-v5": base | dict(rope_parameters=LLAMA3),
        "linear-v4": base | dict(rope_theta=10000.0, rope_scaling=dict(type="linear", factor=4.0)),
        "linear-v5": base | dict(rope_parameters=dict(rope_type="linear", rope_theta=1e6, factor=2.0)),
    }
    divisors = {}
    for name, configuration in configurations.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(configuration, indent=2) + "\n")
        config = AutoConfig.for_model(**json.loads(path.read_text()))
        scaled, _ = ROPE_INIT_FUNCTIONS[config.rope_parameters["rope_type"]](config, "cpu")
        plain = 1 / config.rope_parameters["rope_theta"] ** (np.arange(0, 64, 2) / 64)
        divisors[name] = (plain / scaled.numpy().astype(np.float64)).astype(np.float32)
    save_file(divisors, HERE / "rope.safetensors")


def hashes():
    def digest(data):
        return hashlib.sha256(data).hexdigest()

    files = sorted((HERE / "huggingface").iterdir(), key=lambda path: path.name)
    listing = "".join(f"{digest(path.read_bytes())}  {path.name}\n" for path in files)
    found = {"qwen2.gguf": digest((HERE / "qwen2.gguf").read_bytes()), "huggingface": digest(listing.encode())}
    (HERE / "hashes.json").write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    encodings()
    gguf_model("llama", 8)
    gguf_model("qwen2", 8)
    gguf_model("qwen3", 16)
    gguf_model("gemma3", 16)
    hugging_face()
    rope()
    hashes()
