#!/usr/bin/env python3
"""Standard errors of thresholds and shares from the raw activations of the tiny llama, each shard left out once.

    python Tests/Fixtures/make_confidence_oracle.py    (numpy and safetensors; part of `make oracles`)

Writes `statistics/confidence.safetensors`, float64:

- `values` [6, 50], lognormal, and `rms_error` [1], the textbook jackknife's standard error of log(root mean square of
  all values), each row left out once: sqrt(5/6 · sum of squares);
- for each layer `l` of the tiny llama and its 16 calibration sequences cut at CUTS, with thresholds that are quantiles
  of scores without any bins: `layers.l.cats.{held_out,share_error,threshold_error}` ([4], [1], [1]) for one threshold
  on |g| at half, and `layers.l.chess.{held_out,share_error,threshold_error}` for thresholds on |g|·rms(u), the last
  one the median over channels.

Errors of unequal shards are those of a weighted mean: a shard with a share w of the tokens that says x where all say m
counts with w²·(x − m)², and the sum is divided by 1 − sum of w². What the shard says follows from what the others say
of the whole: of the whole they have 1 − w.
"""

import numpy as np
from safetensors.numpy import load_file

from fixture_io import FIXTURES, save, versions
from make_energy_oracle import factors

CUTS = (0, 3, 6, 10, 16)


def weighted_error(said: np.ndarray, whole: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`said` [shards, ...], `whole` [...]."""
    squares = np.tensordot(weights**2, (said - whole) ** 2, axes=1)
    return np.sqrt(squares / (1 - np.sum(weights**2)))


def quantile(scores: np.ndarray, share: float) -> float:
    """The least number that at least a share of the scores does not exceed."""
    ordered = np.sort(scores, axis=None)
    return ordered[int(np.ceil(share * ordered.size)) - 1]


def thresholds(gate: np.ndarray, up: np.ndarray, method: str) -> np.ndarray:
    """[channels], from [tokens, channels]."""
    typical = np.sqrt(np.mean(up**2, axis=0)) if method == "chess" else np.ones(up.shape[1])
    return quantile(np.abs(gate) * typical, 0.5) / typical


def layer(gate: np.ndarray, up: np.ndarray, method: str) -> dict[str, np.ndarray]:
    parts = [slice(low, high) for low, high in zip(CUTS, CUTS[1:])]
    weights = np.diff(CUTS) / CUTS[-1]

    def flat(x: np.ndarray) -> np.ndarray:
        return x.reshape(-1, x.shape[-1])

    whole = thresholds(flat(gate), flat(up), method)
    without, held_out = [], []
    for part in parts:
        rest = np.delete(np.arange(CUTS[-1]), part)
        without.append(thresholds(flat(gate[rest]), flat(up[rest]), method))
        held_out.append(np.mean(np.abs(gate[part]) < without[-1]))
    held_out, without = np.array(held_out), np.log(without)
    # Of a mean, whole = w·said + (1 − w)·without; a share of text left out differs from the others', not from the whole's.
    said = (np.log(whole) - (1 - weights[:, None]) * without) / weights[:, None]
    said_share = 0.5 + (1 - weights) * (held_out - 0.5)
    return {
        "held_out": held_out,
        "share_error": weighted_error(said_share, np.array(0.5), weights).reshape(1),
        "threshold_error": np.median(weighted_error(said, np.log(whole), weights)).reshape(1),
    }


def main() -> None:
    values = np.exp(np.random.default_rng(11).normal(size=(6, 50)))

    def statistic(rows: np.ndarray) -> float:
        return float(np.log(np.sqrt(np.mean(rows**2))))

    changes = np.array([statistic(np.delete(values, i, axis=0)) for i in range(6)]) - statistic(values)
    tensors = {"values": values, "rms_error": np.array([np.sqrt(5 / 6 * np.sum(changes**2))])}
    for index, (gate, up) in enumerate(factors(load_file(FIXTURES / "statistics" / "llama.safetensors")["ids"])):
        for method in ("cats", "chess"):
            for name, value in layer(gate, up, method).items():
                tensors[f"layers.{index}.{method}.{name}"] = value
    save(FIXTURES / "statistics" / "confidence.safetensors", tensors, versions("numpy", "safetensors"))


if __name__ == "__main__":
    main()
