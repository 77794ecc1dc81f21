#!/usr/bin/env python3
"""Standard errors of thresholds and shares from the raw activations of the tiny llama, each shard left out once.

    python Tests/Fixtures/make_confidence_oracle.py    (numpy and safetensors; part of `make oracles`)

Writes `statistics/confidence.safetensors`, float64:

- `values` [6, 50], lognormal, and `rms_error` [1], the textbook jackknife's standard error of log(root mean square of
  all values), each row left out once: sqrt(5/6 · sum of squares);
- for each layer `l` of the tiny llama and its 16 calibration sequences cut at CUTS, with thresholds that are quantiles
  of scores without any bins: `layers.l.cats.{held_out,share_error,threshold_errors}` ([4], [1], [channels]) for one
  threshold on |g| at half, and `layers.l.chess.{held_out,share_error,threshold_errors}` for thresholds on |g|·rms(u);
  errors of thresholds ascend;
- `layers.l.PLACE.{held_out,share_error,threshold_errors}`, PLACE one of up, query, output, for thresholds at half from
  histograms in the bins of Documentation/method.md, values evenly spread in each: on |u|·rms(g), which has no fold, and
  one on the input of the query and of the output projection.

Errors of unequal shards are those of a weighted mean: a shard with a share w of the tokens that says x where all say m
counts with w²·(x − m)², and the sum is divided by 1 − sum of w². What the shard says follows from what the others say
of the whole: of the whole they have 1 − w.
"""

import numpy as np
from safetensors.numpy import load_file

import tiny_llama
from fixture_io import FIXTURES, save, versions

CUTS = (0, 3, 6, 10, 16)
# Eight bins of equal width an octave; the open last one counts as if it ended an octave higher.
EDGES = np.array([0.0] + [2.0**octave * (1 + part / 8) for octave in range(-16, 10) for part in range(8)] + [2.0**10, 2.0**11])


def weighted_error(said: np.ndarray, whole: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`said` [shards, ...], `whole` [...]."""
    squares = np.tensordot(weights**2, (said - whole) ** 2, axes=1)
    return np.sqrt(squares / (1 - np.sum(weights**2)))


def quantile(scores: np.ndarray, share: float) -> float:
    """The least number that at least a share of the scores does not exceed."""
    ordered = np.sort(scores, axis=None)
    return ordered[int(np.ceil(share * ordered.size)) - 1]


def cumulative(values: np.ndarray) -> np.ndarray:
    """Counts of [tokens, channels] below each edge: [channels, edges]."""
    return np.array([np.searchsorted(np.sort(np.abs(channel)), EDGES, side="left") for channel in values.T])


def below(counts: np.ndarray, thresholds: np.ndarray) -> float:
    """How many values lie below their channel's threshold."""
    return sum(np.interp(threshold, EDGES, channel) for threshold, channel in zip(thresholds, counts))


def binned_thresholds(counts: np.ndarray, scales: np.ndarray, share: float) -> np.ndarray:
    """[channels]. How many scores lie below a number is a straight line between the scores of all edges."""
    corners = np.sort(np.outer(scales, EDGES), axis=None)
    totals = sum(np.interp(corners / scale, EDGES, channel) for scale, channel in zip(scales, counts))
    return np.interp(share * counts[:, -1].sum(), totals, corners) / scales


def raw_thresholds(values: np.ndarray, scales: np.ndarray, share: float) -> np.ndarray:
    return quantile(np.abs(values) * scales, share) / scales


def typical(other: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean(other**2, axis=0))


def errors(solve, share_of, size: int, share: float = 0.5) -> dict[str, np.ndarray]:
    """`solve` gives thresholds of some sequences, `share_of` what thresholds drop of some."""
    parts = [np.arange(low, high) for low, high in zip(CUTS, CUTS[1:])]
    weights = np.diff(CUTS) / CUTS[-1]
    everything = np.arange(CUTS[-1])
    whole = solve(everything)
    without, held_out = [], []
    for part in parts:
        without.append(solve(np.delete(everything, part)))
        held_out.append(share_of(part, without[-1]))
    held_out, without = np.array(held_out), np.log(without)
    # Of a mean, whole = w·said + (1 − w)·without; a share of text left out differs from the others', not from the whole's.
    said = (np.log(whole) - (1 - weights[:, None]) * without) / weights[:, None]
    said_share = share + (1 - weights) * (held_out - share)
    return {
        "held_out": held_out,
        "share_error": weighted_error(said_share, np.array(share), weights).reshape(1),
        "threshold_errors": np.sort(weighted_error(said, np.log(whole), weights))[:size],
    }


def flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(-1, x.shape[-1])


def raw(values: np.ndarray, other: np.ndarray | None) -> dict[str, np.ndarray]:
    """Thresholds at half, of activations as they are; those of all channels are one where nothing scales them."""
    def solve(part):
        scales = np.ones(values.shape[-1]) if other is None else typical(flat(other[part]))
        return raw_thresholds(flat(values[part]), scales, 0.5)

    return errors(solve, lambda part, thresholds: np.mean(np.abs(values[part]) < thresholds), values.shape[-1])


def binned(values: np.ndarray, other: np.ndarray | None) -> dict[str, np.ndarray]:
    """The same of histograms; a threshold for all channels is one threshold."""
    def solve(part):
        scales = np.ones(values.shape[-1]) if other is None else typical(flat(other[part]))
        return binned_thresholds(cumulative(flat(values[part])), scales, 0.5)

    def share_of(part, thresholds):
        counts = cumulative(flat(values[part]))
        return below(counts, thresholds) / counts[:, -1].sum()

    return errors(solve, share_of, 1 if other is None else values.shape[-1])


def main() -> None:
    values = np.exp(np.random.default_rng(11).normal(size=(6, 50)))

    def statistic(rows: np.ndarray) -> float:
        return float(np.log(np.sqrt(np.mean(rows**2))))

    changes = np.array([statistic(np.delete(values, i, axis=0)) for i in range(6)]) - statistic(values)
    tensors = {"values": values, "rms_error": np.array([np.sqrt(5 / 6 * np.sum(changes**2))])}
    ids = load_file(FIXTURES / "statistics" / "llama.safetensors")["ids"]
    for index, layer in enumerate(tiny_llama.run(ids, tiny_llama.checked_weights())[1]):
        gate, up = layer["ffn.gate"], layer["ffn.up"]
        for place, found in {
            "cats": raw(gate, None), "chess": raw(gate, up), "up": binned(up, gate),
            "query": binned(layer["attention.input"], None), "output": binned(layer["attention.output_input"], None),
        }.items():
            tensors |= {f"layers.{index}.{place}.{name}": value for name, value in found.items()}
    save(FIXTURES / "statistics" / "confidence.safetensors", tensors, versions("numpy", "safetensors"))


if __name__ == "__main__":
    main()
