#!/usr/bin/env python3
"""A Llama with random weights and the shapes of a large model, to see what a bundle of that size costs.

    "$(scripts/python-environment)" Benchmarks/make_random_model.py BUNDLE FOLDER [LAYERS]

Hidden 4096, FFN 14336, 32 heads on 8, bf16; 4 layers unless given. The tokenizer is that of BUNDLE, any bundle of ours.
Writes FOLDER/config.json, tokenizer.json, tokenizer_config.json and model.safetensors. Never commit it.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

HIDDEN, INTERMEDIATE, HEADS, KEY_VALUE_HEADS, HEAD = 4096, 14336, 32, 8, 128


def bf16(generator: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Normal with the deviation 1/sqrt(columns), the upper halves of float32 as float16's bits: numpy has no bf16."""
    values = generator.standard_normal((rows, columns), dtype=np.float32) / np.float32(np.sqrt(columns))
    return (values.view(np.uint32) >> 16).astype(np.uint16)


def main() -> None:
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: make_random_model.py BUNDLE FOLDER [LAYERS]")
    bundle, folder, layers = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) == 4 else 4
    source = json.loads((bundle / "config.json").read_text())
    vocabulary = source["vocab_size"]
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(bundle / name, folder / name)
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN,
        "intermediate_size": INTERMEDIATE, "num_hidden_layers": layers, "num_attention_heads": HEADS,
        "num_key_value_heads": KEY_VALUE_HEADS, "head_dim": HEAD, "vocab_size": vocabulary, "hidden_act": "silu",
        "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "tie_word_embeddings": False,
        "torch_dtype": "bfloat16", "bos_token_id": source.get("bos_token_id"), "eos_token_id": source["eos_token_id"]}))

    generator = np.random.default_rng(7)
    shapes = {"model.embed_tokens.weight": (vocabulary, HIDDEN), "lm_head.weight": (vocabulary, HIDDEN)}
    norms = ["model.norm.weight"]
    for layer in range(layers):
        name = f"model.layers.{layer}."
        norms += [name + "input_layernorm.weight", name + "post_attention_layernorm.weight"]
        for part, rows, columns in (
            ("self_attn.q_proj", HEADS * HEAD, HIDDEN), ("self_attn.k_proj", KEY_VALUE_HEADS * HEAD, HIDDEN),
            ("self_attn.v_proj", KEY_VALUE_HEADS * HEAD, HIDDEN), ("self_attn.o_proj", HIDDEN, HEADS * HEAD),
            ("mlp.gate_proj", INTERMEDIATE, HIDDEN), ("mlp.up_proj", INTERMEDIATE, HIDDEN),
            ("mlp.down_proj", HIDDEN, INTERMEDIATE),
        ):
            shapes[f"{name}{part}.weight"] = (rows, columns)
    tensors = {name: bf16(generator, *shape) for name, shape in shapes.items()}
    tensors |= {name: np.full(HIDDEN, 0x3F80, np.uint16) for name in norms}
    write(folder / "model.safetensors", tensors)


def write(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """safetensors with the dtype BF16, which its numpy half cannot name."""
    save_file(tensors, path)
    with path.open("r+b") as file:
        size = int.from_bytes(file.read(8), "little")
        header = file.read(size)
        renamed = header.replace(b'"U16"', b'"BF16"')
        # One letter more a tensor: the header's padding gives way, or the file is written anew.
        grown = len(renamed) - size
        spare = len(renamed) - len(renamed.rstrip(b" "))
        if spare >= grown:
            file.seek(8)
            file.write(renamed[: len(renamed) - grown])
            return
        file.seek(8 + size)
        data = file.read()
    renamed = renamed.rstrip(b" ")
    renamed += b" " * (-len(renamed) % 8)
    path.write_bytes(len(renamed).to_bytes(8, "little") + renamed + data)


if __name__ == "__main__":
    main()
