#!/usr/bin/env python3
"""Makes a Llama of random weights, for what large models cost: bf16, a shard of safetensors a layer. Never committed.

    "$(scripts/python-environment)" Benchmarks/make_random_model.py FOLDER
    … --layers 4 --ffn 14336 --key-value-heads 8 --tokenizer BUNDLE

The default has the shape of Llama-2-7B, 13.5 GB, and takes some two minutes. The tokenizer is that of the tests' tiny Llama
unless a folder that has one is given.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
TOKENIZER = REPOSITORY / "Tests" / "Fixtures" / "models" / "llama"
VOCABULARY, HEAD = 32_000, 128


class Shards:
    def __init__(self, folder: Path, seed: int):
        self.folder, self.random = folder, np.random.default_rng(seed)
        self.map: dict[str, str] = {}

    def write(self, name: str, shapes: dict[str, tuple[int, ...]]) -> None:
        header, end = {}, 0
        for tensor, shape in shapes.items():
            size = 2 * int(np.prod(shape))
            header[tensor] = {"dtype": "BF16", "shape": shape, "data_offsets": [end, end + size]}
            self.map[tensor] = name
            end += size
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with (self.folder / name).open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for shape in shapes.values():
                file.write(self.values(shape))

    def values(self, shape: tuple[int, ...]) -> bytes:
        """Norms of ones, matrices whose products keep the size of what they multiply."""
        if len(shape) == 1:
            values = np.ones(shape, np.float32)
        else:
            values = self.random.standard_normal(shape, np.float32) / np.float32(shape[1] ** 0.5)
        return (values.view(np.uint32) >> 16).astype("<u2").tobytes()  # bfloat16, towards zero


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for name, default in (("layers", 32), ("hidden", 4096), ("ffn", 11_008), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--key-value-heads", type=int, help="as many as heads unless given")
    parser.add_argument("--tokenizer", type=Path, default=TOKENIZER)
    options = parser.parse_args()
    folder, hidden, ffn = options.folder, options.hidden, options.ffn
    key_value_heads = options.key_value_heads or hidden // HEAD
    folder.mkdir(parents=True)
    shards = Shards(folder, options.seed)
    shards.write("embeddings.safetensors", {
        "model.embed_tokens.weight": (VOCABULARY, hidden), "model.norm.weight": (hidden,),
        "lm_head.weight": (VOCABULARY, hidden)})
    for layer in range(options.layers):
        square, prefix = (hidden, hidden), f"model.layers.{layer}."
        shards.write(f"layer-{layer:03}.safetensors", {
            prefix + "input_layernorm.weight": (hidden,),
            **{f"{prefix}self_attn.{part}_proj.weight": square for part in "qo"},
            **{f"{prefix}self_attn.{part}_proj.weight": (HEAD * key_value_heads, hidden) for part in "kv"},
            prefix + "post_attention_layernorm.weight": (hidden,),
            prefix + "mlp.gate_proj.weight": (ffn, hidden), prefix + "mlp.up_proj.weight": (ffn, hidden),
            prefix + "mlp.down_proj.weight": (hidden, ffn)})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": shards.map}, indent=1))
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": hidden, "intermediate_size": ffn,
        "num_hidden_layers": options.layers, "num_attention_heads": hidden // HEAD,
        "num_key_value_heads": key_value_heads, "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "max_position_embeddings": 4096, "vocab_size": VOCABULARY, "tie_word_embeddings": False,
        "bos_token_id": 0, "eos_token_id": 0, "torch_dtype": "bfloat16"}, indent=1))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(options.tokenizer / name, folder / name)


if __name__ == "__main__":
    main()
