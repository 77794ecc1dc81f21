"""A Llama in numpy, from a Hugging Face folder: what Gambit's own forward pass is compared with where torch is too much."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors import safe_open


def silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-x))


# Sees activations at a place of a layer, and gives back what the model goes on with.
Tap = Callable[[str, int, np.ndarray], np.ndarray]


class Llama:
    """Its places are `query`, the input of the query projection alone, `output`, that of the output projection, and `gate`,
    silu(gate x)."""

    def __init__(self, folder: Path):
        self.config = json.loads((folder / "config.json").read_text())
        with safe_open(folder / "model.safetensors", "np") as file:
            self.tensors = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}

    def logits(self, tokens: np.ndarray, tap: Tap = lambda place, layer, x: x) -> np.ndarray:
        """`[tokens, vocabulary]`"""
        table = self.tensors["model.embed_tokens.weight"]
        x = table[tokens]
        for layer in range(self.config["num_hidden_layers"]):
            x = x + self.attention(layer, self.norm(x, f"model.layers.{layer}.input_layernorm"), tap)
            h = self.norm(x, f"model.layers.{layer}.post_attention_layernorm")
            gate = tap("gate", layer, silu(self.project(h, layer, "mlp.gate_proj")))
            x = x + self.project(gate * self.project(h, layer, "mlp.up_proj"), layer, "mlp.down_proj")
        return self.norm(x, "model.norm") @ self.tensors.get("lm_head.weight", table).T

    def attention(self, layer: int, h: np.ndarray, tap: Tap) -> np.ndarray:
        count, head = len(h), self.config["head_dim"]
        query, key, value = (
            self.project(x, layer, f"self_attn.{name}_proj").reshape(count, -1, head).swapaxes(0, 1)
            for name, x in (("q", tap("query", layer, h)), ("k", h), ("v", h)))
        query, key = self.turned(query), self.turned(key)
        group = len(query) // len(key)
        scores = query @ np.repeat(key, group, 0).swapaxes(1, 2) / np.float32(head) ** 0.5
        scores += np.triu(np.full((count, count), -np.inf, np.float32), 1)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        mixed = (weights @ np.repeat(value, group, 0)).swapaxes(0, 1).reshape(count, -1)
        return self.project(tap("output", layer, mixed), layer, "self_attn.o_proj")

    def turned(self, x: np.ndarray) -> np.ndarray:
        half = x.shape[-1] // 2
        frequencies = self.config["rope_theta"] ** (-np.arange(half) / half)
        angles = (np.arange(x.shape[1])[:, None] * frequencies)
        cosine, sine = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
        first, second = x[..., :half], x[..., half:]
        return np.concatenate([first * cosine - second * sine, second * cosine + first * sine], -1)

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        mean = (x * x).mean(-1, keepdims=True, dtype=np.float32)
        return x / np.sqrt(mean + np.float32(self.config["rms_norm_eps"])) * self.tensors[f"{name}.weight"]

    def project(self, x: np.ndarray, layer: int, name: str) -> np.ndarray:
        return x @ self.tensors[f"model.layers.{layer}.{name}.weight"].T
