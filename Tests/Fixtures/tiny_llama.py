"""The tiny llama of models/llama in float64, with numpy alone."""

import json
from collections.abc import Callable

import numpy as np
from safetensors.numpy import load_file

from fixture_io import FIXTURES

LLAMA = FIXTURES / "models" / "llama"

# Takes a layer, a projection's name and its input, and gives what the projection reads.
Mask = Callable[[int, str, np.ndarray], np.ndarray]


def bfloat16_tensors(path) -> dict[str, np.ndarray]:
    """All tensors of a safetensors file of bfloat16, which numpy has no type for, as float64."""
    data = path.read_bytes()
    header_size = int.from_bytes(data[:8], "little")
    header, tensors = json.loads(data[8:8 + header_size]), {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = (8 + header_size + offset for offset in entry["data_offsets"])
            bits = np.frombuffer(data[start:end], "<u2").astype(np.uint32) << 16
            tensors[name] = bits.view(np.float32).astype(np.float64).reshape(entry["shape"])
    return tensors


def projection(weights: dict[str, np.ndarray], layer: int, name: str) -> np.ndarray:
    """[outputs, inputs]; names are those of transformers without `_proj`, such as `self_attn.q`."""
    return weights[f"model.layers.{layer}.{name}_proj.weight"]


def run(
    ids: np.ndarray, weights: dict[str, np.ndarray], mask: Mask = lambda layer, name, x: x
) -> tuple[np.ndarray, list[dict[str, np.ndarray]]]:
    """Logits of every position, and per layer, [sequences, positions, channels] each: the inputs `attention.input`,
    `attention.output_input` and `ffn.input`, the factors `ffn.gate`, which is after the activation, and `ffn.up`, and the
    residual stream behind the layer, `output`."""
    config = json.loads((LLAMA / "config.json").read_text())
    width, heads = config["head_dim"], config["num_attention_heads"]
    shared = heads // config["num_key_value_heads"]
    positions = ids.shape[1]
    angles = np.outer(np.arange(positions), config["rope_parameters"]["rope_theta"] ** -(np.arange(0, width, 2) / width))
    angles = np.concatenate([angles, angles], axis=1)[:, None, :]
    future = np.triu(np.full((positions, positions), -np.inf), 1)

    def norm(x, weight):
        return x / np.sqrt(np.square(x).mean(-1, keepdims=True) + config["rms_norm_eps"]) * weight

    def rotate(x):  # [sequences, positions, heads, width]
        half = np.concatenate([-x[..., width // 2:], x[..., :width // 2]], axis=-1)
        return x * np.cos(angles) + half * np.sin(angles)

    x, layers = weights["model.embed_tokens.weight"][ids], []
    for layer in range(config["num_hidden_layers"]):

        def project(value, name):
            return mask(layer, name, value) @ projection(weights, layer, name).T

        h = norm(x, weights[f"model.layers.{layer}.input_layernorm.weight"])
        q, k, v = (project(h, f"self_attn.{name}").reshape(*ids.shape, -1, width) for name in "qkv")
        k, v = rotate(k).repeat(shared, axis=2), v.repeat(shared, axis=2)
        scores = np.einsum("sqhw,skhw->shqk", rotate(q), k) / np.sqrt(width) + future
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = np.einsum("shqk,skhw->sqhw", scores / scores.sum(-1, keepdims=True), v).reshape(*ids.shape, -1)
        x = x + project(mixed, "self_attn.o")
        f = norm(x, weights[f"model.layers.{layer}.post_attention_layernorm.weight"])
        gate, up = project(f, "mlp.gate"), project(f, "mlp.up")
        gate = gate / (1 + np.exp(-gate))
        layers.append({
            "attention.input": h, "attention.output_input": mixed, "ffn.input": f, "ffn.gate": gate, "ffn.up": up})
        x = x + project(gate * up, "mlp.down")
        layers[-1]["output"] = x
    return norm(x, weights["model.norm.weight"]) @ weights["lm_head.weight"].T, layers


def checked_weights() -> dict[str, np.ndarray]:
    """The model's weights; activations and logits that follow from them are held against what transformers recorded."""
    weights = bfloat16_tensors(LLAMA / "model.safetensors")
    recorded, oracle = load_file(LLAMA / "activations.safetensors"), load_file(LLAMA / "oracle.safetensors")
    logits, layers = run(oracle["ids"], weights)
    for name, expected in recorded.items():
        layer, place = name.removeprefix("layers.").split(".", 1)
        np.testing.assert_allclose(layers[int(layer)][place][0, :len(expected)], expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(logits, oracle["logits"], rtol=1e-3, atol=1e-3)
    return weights
