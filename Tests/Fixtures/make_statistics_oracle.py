#!/usr/bin/env python3
"""Exact thresholds and sums from the raw activations of the tiny llama, with numpy alone.

    make oracles            (or: python Tests/Fixtures/make_statistics_oracle.py after make_tiny_models.py)

Writes `statistics/llama.safetensors`:

- `ids` [16, 64], the calibration tokens;
- for `skip0` (every position) and `skip4` (the first 4 positions of each sequence left out), and
  each layer `l`, float64:
  `SKIP.layers.l.{gate_abs_sum,gate_square_sum,up_abs_sum,up_square_sum,energy}` [channels],
  `SKIP.layers.l.{cats,chess_mean,chess_rms}.K` [channels],
  `SKIP.layers.l.{query,output}_threshold.K` [1], for K = 30, 50, 70 percent dropped.

A quantile is min{t : F(t) >= k}, F the empirical distribution over all channels and tokens of the
layer; a value is dropped where it is smaller than its threshold.
"""

import numpy as np
from safetensors.numpy import load_file

from fixture_io import FIXTURES, save, versions

SPARSITIES = (30, 50, 70)
SKIPS = (0, 4)


def quantile(values: np.ndarray, percent: int) -> float:
    """The smallest value that at least `percent` of all values do not exceed."""
    ordered = np.sort(values, axis=None)
    rank = -(-percent * ordered.size // 100)  # ceiling, in integers: k·N must not round
    return ordered[max(rank, 1) - 1]


def layer_statistics(gate, up, attention_input, output_input) -> dict[str, np.ndarray]:
    """Each argument is [tokens, channels] in float64."""
    result = {
        "gate_abs_sum": np.abs(gate).sum(0), "gate_square_sum": np.square(gate).sum(0),
        "up_abs_sum": np.abs(up).sum(0), "up_square_sum": np.square(up).sum(0),
        "energy": np.square(gate * up).sum(0),
    }
    expected_up = {"chess_mean": np.abs(up).mean(0), "chess_rms": np.sqrt(np.square(up).mean(0))}
    for percent in SPARSITIES:
        result[f"cats.{percent}"] = np.full(gate.shape[1], quantile(np.abs(gate), percent))
        for method, weight in expected_up.items():
            result[f"{method}.{percent}"] = quantile(np.abs(gate) * weight, percent) / weight
        result[f"query_threshold.{percent}"] = np.array([quantile(np.abs(attention_input), percent)])
        result[f"output_threshold.{percent}"] = np.array([quantile(np.abs(output_input), percent)])
    return result


def main() -> None:
    raw = load_file(FIXTURES / ".raw" / "llama.safetensors")
    tensors = {"ids": raw["ids"]}
    layers = sum(name.endswith("ffn.gate") for name in raw)
    for skip in SKIPS:
        for layer in range(layers):

            def tap(name: str) -> np.ndarray:
                value = raw[f"layers.{layer}.{name}"][:, skip:].astype(np.float64)
                return value.reshape(-1, value.shape[-1])

            statistics = layer_statistics(
                tap("ffn.gate"), tap("ffn.up"), tap("attention.input"), tap("attention.output_input"))
            tensors |= {f"skip{skip}.layers.{layer}.{name}": value for name, value in statistics.items()}
    save(FIXTURES / "statistics" / "llama.safetensors", tensors, versions("numpy", "safetensors"))


if __name__ == "__main__":
    main()
