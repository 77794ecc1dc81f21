#!/usr/bin/env python3
"""Thresholds on the inputs of all projections of the tiny llama, and what it predicts under them.

    python Tests/Fixtures/make_inputs_oracle.py        (numpy and safetensors; part of `make oracles`)

Runs the tiny llama in float64 and writes `statistics/inputs.safetensors`. METHOD is `magnitude` (TEAL: |x|) or `wina`
(|x| times the norm of the weight column that x meets), PLACE one of query, key, value, output, gate, up, down:

- `METHOD.layers.l.PLACE.K`, float64, [1] or one a channel: thresholds that drop K = 30, 50, 70 percent of the
  calibration tokens of `statistics/llama.safetensors`;
- `masked.ids`: tokens of `models/llama/oracle.safetensors`; for each method `masked.METHOD.layers.l.PLACE`, float32
  thresholds near those of 50 percent that no value comes close to, `masked.METHOD.logits` [positions, vocabulary] with
  every projection's input masked by them, and `masked.METHOD.layers.l.PLACE.share` [1], the share of values dropped;
- `masked.METHOD.layers.l.error` [1]: the Euclidean distance of the layer's output, all positions and channels, from the
  dense one where the same thresholds mask this layer alone.
"""

import numpy as np
from safetensors.numpy import load_file

import tiny_llama
from fixture_io import FIXTURES, save, versions
from make_statistics_oracle import SPARSITIES, quantile

# A projection as transformers calls it: our word, and the name of its input.
PLACES = {
    "self_attn.q": ("query", "attention.input"), "self_attn.k": ("key", "attention.input"),
    "self_attn.v": ("value", "attention.input"), "self_attn.o": ("output", "attention.output_input"),
    "mlp.gate": ("gate", "ffn.input"), "mlp.up": ("up", "ffn.input"), "mlp.down": ("down", "product"),
}
METHODS = ("magnitude", "wina")
TOKENS = 24
MARGIN = 1e-5  # float32's errors are smaller


def thresholds(method: str, values: np.ndarray, weight: np.ndarray, percent: int) -> np.ndarray:
    """`values` are [tokens, channels], `weight` is [outputs, channels]."""
    if method == "magnitude":
        return np.array([quantile(np.abs(values), percent)])
    norms = np.sqrt(np.square(weight).sum(0))
    return quantile(np.abs(values) * norms, percent) / norms


def masked(weights, ids: np.ndarray, limits: dict[tuple[int, str], np.ndarray]):
    """Logits, layers' outputs and shares dropped, and how near any value comes to its threshold, relative to it. What has
    no limits is not masked."""
    shares, nearest = {}, np.inf

    def mask(layer, name, x):
        nonlocal nearest
        if (layer, name) not in limits:
            return x
        limit = limits[layer, name].astype(np.float64)
        kept = np.abs(x) >= limit
        nearest = min(nearest, np.abs(np.abs(x) / limit - 1).min())
        shares[layer, name] = 1 - kept.mean()
        return np.where(kept, x, 0)

    logits, layers = tiny_llama.run(ids, weights, mask)
    return logits, [layer["output"] for layer in layers], shares, nearest


def main() -> None:
    weights = tiny_llama.checked_weights()
    _, layers = tiny_llama.run(load_file(FIXTURES / "statistics" / "llama.safetensors")["ids"], weights)
    ids = load_file(tiny_llama.LLAMA / "oracle.safetensors")["ids"][:1, :TOKENS]
    tensors = {"masked.ids": ids}
    dense = [layer["output"] for layer in tiny_llama.run(ids, weights)[1]]
    for method in METHODS:
        halves = {}
        for layer, inputs in enumerate(layers):
            inputs["product"] = inputs["ffn.gate"] * inputs["ffn.up"]
            for name, (place, source) in PLACES.items():
                values = inputs[source].reshape(-1, inputs[source].shape[-1])
                weight = tiny_llama.projection(weights, layer, name)
                solved = {percent: thresholds(method, values, weight, percent) for percent in SPARSITIES}
                tensors |= {f"{method}.layers.{layer}.{place}.{percent}": t for percent, t in solved.items()}
                halves[layer, name] = solved[50]
        for scale in np.linspace(1.001, 1.1, 100):
            limits = {key: (scale * value).astype(np.float32) for key, value in halves.items()}
            logits, _, shares, nearest = masked(weights, ids, limits)
            errors = []
            for layer in range(len(layers)):
                alone = {(index, name): limit for (index, name), limit in limits.items() if index == layer}
                _, outputs, _, own = masked(weights, ids, alone)
                errors.append(np.linalg.norm(outputs[layer] - dense[layer]))
                nearest = min(nearest, own)
            if nearest > MARGIN:
                break
        else:
            raise SystemExit(f"{method}: every scale has a value too near to its threshold")
        tensors[f"masked.{method}.logits"] = logits[0].astype(np.float32)
        tensors |= {f"masked.{method}.layers.{layer}.error": np.array([error]) for layer, error in enumerate(errors)}
        for (layer, name), limit in limits.items():
            place = f"masked.{method}.layers.{layer}.{PLACES[name][0]}"
            tensors |= {place: limit, f"{place}.share": np.array([shares[layer, name]])}
    save(FIXTURES / "statistics" / "inputs.safetensors", tensors, versions("numpy", "safetensors"))


if __name__ == "__main__":
    main()
