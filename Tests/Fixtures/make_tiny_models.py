#!/usr/bin/env python3
"""Makes the tiny random Hugging Face models of `models/` and what `transformers` computes with them.

    make oracles            (or: python Tests/Fixtures/make_tiny_models.py)

For each model, a checkpoint directory (`config.json`, safetensors, `tokenizer.json`,
`tokenizer_config.json`) and beside it:

- `oracle.safetensors`: `ids` [sequences, positions] and `logits` [sequences, positions, vocabulary];
- `texts.json`: strings with their token ids.

For `llama` also `activations.safetensors`, the activations of sequence 0's first positions, and
the raw activations of a larger set in `.raw/` for `make_statistics_oracle.py`.

The arithmetic is float32 with plain ("eager") attention, over weights rounded to the type in
which they are stored.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM, Gemma3TextConfig, LlamaConfig, PretrainedConfig, Qwen2Config, Qwen3Config)

from fixture_io import FIXTURES, documents, save, versions

VOCABULARY = 320
END_OF_TEXT = "<|endoftext|>"
KEPT_POSITIONS = 16
MADE_WITH = versions("torch", "transformers", "tokenizers", "safetensors", "numpy")

LLAMA3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2_PATTERN = LLAMA3_PATTERN.replace(r"\p{N}{1,3}", r"\p{N}")

TEXTS = [
    "",
    "The lobster is blue, and it's 60 cm (24 in) long.",
    "  two spaces,\ttab\r\nand 12345 a line\n\n\nlater  ",
    "naïve café — 日本語 🙂👩‍👩‍👧 e\u0301",
    f"end{END_OF_TEXT}start",
]


@dataclass
class TinyModel:
    """What distinguishes one of the tiny models from the others."""

    name: str
    configuration: PretrainedConfig
    storage: torch.dtype
    pattern: str | None  # of the pre-tokenizer; None for GPT-2's, and for SentencePiece's spelling
    seed: int
    sequences: int = 2
    positions: int = 24
    shards: int = 1
    older_keys: bool = False  # write config.json as transformers 4 did
    byte_fallback: bool = False  # the tokenizer is SentencePiece's kind


def tiny_models() -> list[TinyModel]:
    tokens = dict(vocab_size=VOCABULARY, bos_token_id=0, eos_token_id=0, pad_token_id=None)
    small = dict(hidden_size=48, intermediate_size=96, num_hidden_layers=2, max_position_embeddings=256, **tokens)
    llama = LlamaConfig(
        hidden_size=64, intermediate_size=160, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
        head_dim=16, max_position_embeddings=256, rms_norm_eps=1e-5, tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0}, **tokens)
    llama3 = LlamaConfig(
        num_attention_heads=4, num_key_value_heads=1, head_dim=12, rms_norm_eps=1e-5, tie_word_embeddings=True,
        rope_parameters={
            "rope_type": "llama3", "rope_theta": 500.0, "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 32},
        **small)
    qwen2 = Qwen2Config(
        num_attention_heads=6, num_key_value_heads=3, rms_norm_eps=1e-6, tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 1_000_000.0}, **small)
    qwen3 = Qwen3Config(
        num_attention_heads=4, num_key_value_heads=2, head_dim=16, rms_norm_eps=1e-6, tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 1_000_000.0}, **small)
    # Windows shorter than the sequences in two layers of three, and frequencies of two kinds.
    gemma3 = Gemma3TextConfig(
        hidden_size=48, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=1,
        head_dim=16, query_pre_attn_scalar=24, sliding_window=7, max_position_embeddings=256, rms_norm_eps=1e-6,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        rope_parameters={
            "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
            "full_attention": {"rope_type": "linear", "rope_theta": 1_000_000.0, "factor": 8.0}},
        **tokens)
    return [
        TinyModel("llama", llama, torch.bfloat16, None, seed=11, sequences=3, positions=48),
        TinyModel("llama3", llama3, torch.float32, LLAMA3_PATTERN, seed=12, older_keys=True),
        TinyModel("qwen2", qwen2, torch.float16, QWEN2_PATTERN, seed=13, shards=2, older_keys=True),
        TinyModel("qwen3", qwen3, torch.bfloat16, QWEN2_PATTERN, seed=14),
        TinyModel("gemma3", gemma3, torch.bfloat16, None, seed=15, byte_fallback=True),
    ]


def train_tokenizer(pattern: str | None) -> Tokenizer:
    """A byte-level BPE of 320 tokens whose token 0 ends a text."""
    tokenizer = Tokenizer(models.BPE())
    if pattern is None:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=[END_OF_TEXT], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(documents("wikitext2-valid.jsonl"), trainer)
    assert tokenizer.get_vocab_size() == VOCABULARY
    return tokenizer


def train_byte_fallback_tokenizer() -> Tokenizer:
    """SentencePiece's kind of BPE as Gemma has it: spaces are ▁, and characters without a token are bytes."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=[END_OF_TEXT] + [f"<0x{byte:02X}>" for byte in range(256)],
        show_progress=False, limit_alphabet=36)
    tokenizer.train_from_iterator(documents("wikitext2-valid.jsonl"), trainer)
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] == END_OF_TEXT]
    assert len(content["model"]["vocab"]) == VOCABULARY
    return Tokenizer.from_str(json.dumps(content))


def build(tiny: TinyModel) -> torch.nn.Module:
    """A float32 model with random weights, rounded to the storage type, spread enough for every part to matter."""
    model = AutoModelForCausalLM.from_config(tiny.configuration, dtype=torch.float32)
    generator = torch.Generator().manual_seed(tiny.seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            # Gemma's norms are stored less one.
            one = 0 if tiny.configuration.model_type == "gemma3_text" else 1
            value = one + 0.2 * noise if "norm" in name else 0.16 * noise
            parameter.copy_(value.to(tiny.storage).float())
    return model


def configuration(tiny: TinyModel, architecture: str) -> dict:
    """What goes into `config.json`: checkpoints in the wild have either generation of keys."""
    values = tiny.configuration.to_dict() | {
        "architectures": [architecture], "dtype": str(tiny.storage).removeprefix("torch.")}
    if tiny.older_keys:
        rope = values.pop("rope_parameters")
        values["rope_theta"] = rope.pop("rope_theta")
        values["rope_scaling"] = rope if rope["rope_type"] != "default" else None
        values["torch_dtype"] = values.pop("dtype")
    unused = {"id2label", "label2id", "problem_type", "_name_or_path", "return_dict", "is_encoder_decoder",
              "output_attentions", "output_hidden_states", "chunk_size_feed_forward", "pretraining_tp"}
    if tiny.name != "gemma3":
        unused.add("layer_types")
    return {name: value for name, value in values.items() if name not in unused}


def write_checkpoint(tiny: TinyModel, model: torch.nn.Module, tokenizer: Tokenizer, directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    write_json(directory / "config.json", configuration(tiny, type(model).__name__))

    tensors = {name: value.to(tiny.storage).contiguous() for name, value in model.state_dict().items()}
    if tiny.configuration.tie_word_embeddings:
        del tensors["lm_head.weight"]
    if tiny.shards == 1:
        save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    else:
        write_shards(directory, tensors, tiny.shards)

    tokenizer.save(str(directory / "tokenizer.json"))
    write_json(directory / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": False,
        "bos_token": END_OF_TEXT, "eos_token": END_OF_TEXT})
    encoded = [{"text": text, "ids": tokenizer.encode(text).ids} for text in TEXTS]
    (directory / "texts.json").write_text(json.dumps({"made_with": MADE_WITH, "texts": encoded}) + "\n")


def write_shards(directory: Path, tensors: dict[str, torch.Tensor], count: int) -> None:
    """Round robin, so that the tensors of one layer lie in different files."""
    shards, weight_map = [{} for _ in range(count)], {}
    for position, (name, value) in enumerate(sorted(tensors.items())):
        shards[position % count][name] = value
        weight_map[name] = f"model-{position % count + 1:05}-of-{count:05}.safetensors"
    for position, shard in enumerate(shards):
        save_file(shard, directory / f"model-{position + 1:05}-of-{count:05}.safetensors", metadata={"format": "pt"})
    size = sum(value.nbytes for value in tensors.values())
    write_json(directory / "model.safetensors.index.json", {"metadata": {"total_size": size}, "weight_map": weight_map})


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def random_ids(sequences: int, positions: int, seed: int) -> torch.Tensor:
    return torch.randint(1, VOCABULARY, (sequences, positions), generator=torch.Generator().manual_seed(seed))


def logits(model: torch.nn.Module, ids: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return model(input_ids=ids, use_cache=False).logits.numpy()


def activations(model: torch.nn.Module, ids: torch.Tensor) -> dict[str, np.ndarray]:
    """Per layer, [sequences, positions, channels]: what each projection reads, and the FFN's two factors."""
    taps: dict[str, np.ndarray] = {}

    def keep(name, pick):
        return lambda module, inputs, output: taps.__setitem__(name, pick(inputs, output).detach().numpy().copy())

    hooks = []
    for index, layer in enumerate(model.model.layers):
        for module, name, pick in [
            (layer.self_attn.q_proj, "attention.input", lambda inputs, output: inputs[0]),
            (layer.self_attn.o_proj, "attention.output_input", lambda inputs, output: inputs[0]),
            (layer.mlp.up_proj, "ffn.input", lambda inputs, output: inputs[0]),
            (layer.mlp.act_fn, "ffn.gate", lambda inputs, output: output),
            (layer.mlp.up_proj, "ffn.up", lambda inputs, output: output),
        ]:
            hooks.append(module.register_forward_hook(keep(f"layers.{index}.{name}", pick)))
    with torch.no_grad():
        model.model(input_ids=ids, use_cache=False)
    for hook in hooks:
        hook.remove()
    return taps


def main() -> None:
    torch.set_num_threads(1)
    for tiny in tiny_models():
        directory = FIXTURES / "models" / tiny.name
        tokenizer = train_byte_fallback_tokenizer() if tiny.byte_fallback else train_tokenizer(tiny.pattern)
        write_checkpoint(tiny, build(tiny), tokenizer, directory)
        # Read back, so that the oracle holds for what the files say.
        model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").eval()
        ids = random_ids(tiny.sequences, tiny.positions, seed=tiny.seed + 100)
        save(directory / "oracle.safetensors", {
            "ids": ids.numpy().astype(np.int32), "logits": logits(model, ids)}, MADE_WITH)
        if tiny.name == "llama":
            first = {name: value[0, :KEPT_POSITIONS] for name, value in activations(model, ids).items()}
            save(directory / "activations.safetensors", first, MADE_WITH)
            ids = random_ids(16, 64, seed=tiny.seed + 200)
            raw = activations(model, ids) | {"ids": ids.numpy().astype(np.int32)}
            save(FIXTURES / ".raw" / "llama.safetensors", raw, MADE_WITH)


if __name__ == "__main__":
    main()
