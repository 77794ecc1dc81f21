#!/usr/bin/env python3
"""The least energy that thresholds on one factor a channel can drop, from the raw activations of the tiny llama.

    python Tests/Fixtures/make_energy_oracle.py        (numpy and safetensors; part of `make oracles`)

Runs the tiny llama in float64 over the calibration tokens of `statistics/llama.safetensors`, holds its activations
against the recorded ones, and writes `statistics/energy.safetensors`: for each layer `l` and K = 30, 50, 70 percent
dropped, float64 [1] each,

- `layers.l.shared.K`, the same where each channel has the factor that is worth more when 30 percent are dropped, by
  what dropping saves at the price of the last value dropped, less what it costs;
- `layers.l.{gate,up,per_channel}.K`, a lower bound of sum((g·u)²) over what is dropped: the convex problem's optimum,
  without bins, where each channel drops its smallest |g|, its smallest |u|, or whichever is cheaper.
"""

import json

import numpy as np
from safetensors.numpy import load_file

from fixture_io import FIXTURES, save, versions

SPARSITIES = (30, 50, 70)
SHARED_AT = 30
LLAMA = FIXTURES / "models" / "llama"


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


def factors(ids: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Per layer act(gate) and up, [sequences, positions, channels]."""
    config, weights = json.loads((LLAMA / "config.json").read_text()), bfloat16_tensors(LLAMA / "model.safetensors")
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

    x, result = weights["model.embed_tokens.weight"][ids], []
    for layer in range(config["num_hidden_layers"]):

        def project(value, name):
            return value @ weights[f"model.layers.{layer}.{name}_proj.weight"].T

        h = norm(x, weights[f"model.layers.{layer}.input_layernorm.weight"])
        q, k, v = (project(h, f"self_attn.{name}").reshape(*ids.shape, -1, width) for name in "qkv")
        k, v = rotate(k).repeat(shared, axis=2), v.repeat(shared, axis=2)
        scores = np.einsum("sqhw,skhw->shqk", rotate(q), k) / np.sqrt(width) + future
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = np.einsum("shqk,skhw->sqhw", scores / scores.sum(-1, keepdims=True), v)
        x = x + project(mixed.reshape(*ids.shape, -1), "self_attn.o")
        h = norm(x, weights[f"model.layers.{layer}.post_attention_layernorm.weight"])
        gate, up = project(h, "mlp.gate"), project(h, "mlp.up")
        gate = gate / (1 + np.exp(-gate))
        result.append((gate, up))
        x = x + project(gate * up, "mlp.down")
    return result


def convex_steps(cumulative: np.ndarray) -> list[tuple[float, int]]:
    """The greatest convex function below `cumulative` at 0…n, as (slope, number of steps), ascending."""
    pools: list[tuple[float, int]] = []
    for total in np.diff(cumulative):
        count = 1
        while pools and pools[-1][0] / pools[-1][1] >= total / count:
            total, count = total + pools[-1][0], count + pools[-1][1]
            pools.pop()
        pools.append((total, count))
    return [(total / count, count) for total, count in pools]


def least_energy(curves: list[np.ndarray], percent: int) -> float:
    """`curves` are cumulative energies of each channel; the cheapest values of all are dropped first."""
    rest, energy = percent / 100 * sum(len(curve) - 1 for curve in curves), 0.0
    for slope, count in sorted(step for curve in curves for step in convex_steps(curve)):
        energy += slope * min(count, rest)
        rest -= min(count, rest)
    return energy


def worth(steps: list[tuple[float, int]], price: float) -> tuple[float, int]:
    """The sum of price less cost over what is cheaper, and how much that is."""
    cheaper = [(slope, count) for slope, count in steps if slope < price]
    return sum((price - slope) * count for slope, count in cheaper), sum(count for _, count in cheaper)


def shared_sources(by_gate: np.ndarray, by_up: np.ndarray, percent: int) -> np.ndarray:
    """Whether `u` decides, [channels], where each channel chooses at the price at which `percent` are dropped."""
    steps = [[convex_steps(curve) for curve in curves] for curves in (by_gate, by_up)]
    low, high = 0.0, float(by_gate[:, -1].max())
    for _ in range(60):
        price = (low + high) / 2
        best = [max((*worth(gate, price), False), (*worth(up, price), True)) for gate, up in zip(*steps)]
        dropped = sum(count for _, count, _ in best)
        low, high = (low, price) if dropped >= percent / 100 * by_gate[:, 1:].size else (price, high)
    return np.array([up_decides for _, _, up_decides in best])


def cumulative_energies(deciding: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """[channels, tokens + 1]: what dropping the n values of smallest magnitude costs."""
    ordered = np.take_along_axis(energy, np.argsort(np.abs(deciding), axis=0), axis=0)
    return np.concatenate([np.zeros((1, energy.shape[1])), ordered.cumsum(0)]).T


def main() -> None:
    recorded = load_file(LLAMA / "activations.safetensors")
    first = factors(load_file(LLAMA / "oracle.safetensors")["ids"])
    for layer, pair in enumerate(first):
        for name, value in zip(("gate", "up"), pair):
            expected = recorded[f"layers.{layer}.ffn.{name}"]
            np.testing.assert_allclose(value[0, :len(expected)], expected, rtol=1e-3, atol=1e-4)

    tensors = {}
    for layer, pair in enumerate(factors(load_file(FIXTURES / "statistics" / "llama.safetensors")["ids"])):
        gate, up = (value.reshape(-1, value.shape[-1]) for value in pair)
        energy = np.square(gate * up)
        by_gate, by_up = cumulative_energies(gate, energy), cumulative_energies(up, energy)
        shared = np.where(shared_sources(by_gate, by_up, SHARED_AT)[:, None], by_up, by_gate)
        for percent in SPARSITIES:
            for name, curves in (
                ("gate", by_gate), ("up", by_up), ("per_channel", np.minimum(by_gate, by_up)), ("shared", shared)):
                tensors[f"layers.{layer}.{name}.{percent}"] = np.array([least_energy(list(curves), percent)])
    save(FIXTURES / "statistics" / "energy.safetensors", tensors, versions("numpy", "safetensors"))


if __name__ == "__main__":
    main()
