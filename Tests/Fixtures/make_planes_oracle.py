#!/usr/bin/env python3
"""The tiny llama with weights in two planes, of which each channel and input reads nothing, the high one, or both.

    python Tests/Fixtures/make_planes_oracle.py        (numpy and safetensors; part of `make oracles`)

Runs it in float64 and writes `statistics/planes.safetensors`. PLACE is one of query, key, value, output, ffn:

- `ids`: tokens of `models/llama/oracle.safetensors`; `dense.logits` [positions, vocabulary] with both planes of
  everything;
- `layers.l.ffn.gate_offset` and `layers.l.ffn.up_offset` [channels], `head.offset` [vocabulary], float32: the means of
  what high planes leave out of these sums over these tokens, both planes of everything else being read; added wherever
  high planes stand alone;
- `layers.l.ffn.energy` and `layers.l.ffn.error`, float64 [channels]: over these tokens, the sums of (g u)² and of
  (g u - h)², h being the product by the high planes of gate and up alone;
- `layers.l.PLACE.half` and `layers.l.PLACE.full`, float32, one a channel: thresholds that no value comes close to;
  `graded.logits` under them, and `layers.l.PLACE.shares` [2], the shares dropped and read whole;
- `head.margin` float32 [1], that no logit comes close to; `head.logits` where besides the output head reads both planes of
  the rows alone whose logit by the high plane is at least the greatest such one less the margin; `head.share` [1], how many.
"""

import sys

import numpy as np
from safetensors.numpy import load_file

import tiny_llama
from fixture_io import FIXTURES, REPOSITORY, save, versions

sys.path.append(str(REPOSITORY / "scripts" / "checks"))
from quantized_rows import encode  # noqa: E402

GROUP = 32
TOKENS = 24
MARGIN = 1e-5  # float32's errors are smaller
PLACES = {"self_attn.q": "query", "self_attn.k": "key", "self_attn.v": "value", "self_attn.o": "output",
          "mlp.down": "ffn"}
BY_OUTPUT = ("mlp.gate", "mlp.up", "model.embed_tokens", "lm_head")


def planes(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What both planes of [rows, columns] stand for, and what the high one does, float64."""
    columns = weight.shape[1]
    groups = -(-columns // GROUP)
    records = encode("int8", weight.astype(np.float32))
    codes = records[:, :columns].view(np.int8).astype(np.int64)
    scales = records[:, groups * GROUP:groups * (GROUP + 2)].copy().view("<f2").astype(np.float64)
    scales = scales.repeat(GROUP, axis=1)[:, :columns]
    return codes * scales, (codes // 16 * 16 + 7.5) * scales


def all_planes(weights: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Every matrix: by output where its rows are, by input elsewhere."""
    both, high = dict(weights), dict(weights)
    for name, weight in weights.items():
        if weight.ndim == 2:
            by_output = any(part in name for part in BY_OUTPUT)
            first, second = planes(weight if by_output else weight.T)
            both[name], high[name] = (first, second) if by_output else (first.T, second.T)
    return both, high


class Grades:
    """Splits what a projection reads; its weights are both planes and the high one side by side."""

    def __init__(self, high: dict[str, np.ndarray], limits: dict[tuple[int, str], tuple[np.ndarray, np.ndarray]],
                 offsets: dict[tuple[int, str], np.ndarray]):
        self.high, self.limits, self.offsets = high, limits, offsets
        self.shares, self.seen, self.inputs, self.nearest, self.gate = {}, {}, {}, np.inf, None

    def half_product(self, layer: int, x: np.ndarray) -> np.ndarray:
        self.inputs[layer] = x.reshape(-1, x.shape[-1])
        gate, up = (x @ tiny_llama.projection(self.high, layer, name).T + self.offsets.get((layer, name), 0)
                    for name in ("mlp.gate", "mlp.up"))
        return gate / (1 + np.exp(-gate)) * up

    def __call__(self, layer: int, name: str, x: np.ndarray) -> np.ndarray:
        if name not in PLACES:
            self.gate = x  # the FFN's input, before what it makes is graded
            return x
        half = self.half_product(layer, self.gate) if name == "mlp.down" else x
        self.seen[layer, name] = (x.reshape(-1, x.shape[-1]), half.reshape(-1, x.shape[-1]))
        if not self.limits:
            return np.concatenate([x, np.zeros_like(x)], -1)
        least, most = (limit.astype(np.float64) for limit in self.limits[layer, name])
        size = np.abs(half)
        self.nearest = min(self.nearest, np.abs(size / least - 1).min(), np.abs(size / most - 1).min())
        self.shares[layer, name] = np.array([(size < least).mean(), (size >= most).mean()])
        return np.concatenate(
            [np.where(size >= most, x, 0), np.where((size >= least) & (size < most), half, 0)], -1)


def mean_left_out(both: dict[str, np.ndarray], high: dict[str, np.ndarray],
                  inputs: dict[int, np.ndarray]) -> dict[tuple[int, str], np.ndarray]:
    def mean(layer: int, name: str, x: np.ndarray) -> np.ndarray:
        whole, part = (x @ tiny_llama.projection(weights, layer, name).T for weights in (both, high))
        return (whole - part).mean(0).astype(np.float32)

    return {(layer, name): mean(layer, name, x) for layer, x in inputs.items() for name in ("mlp.gate", "mlp.up")}


def side_by_side(both: dict[str, np.ndarray], high: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    result = dict(both)
    for name in both:
        if any(f"{place}_proj" in name for place in PLACES):
            result[name] = np.concatenate([both[name], high[name]], 1)
    return result


def on_demand(both: np.ndarray, high: np.ndarray) -> tuple[np.float32, np.ndarray, float]:
    """A margin at which about a third of the rows is read whole, the logits at it, and how many rows that is."""
    below = high.max(-1, keepdims=True) - high
    margins = np.linspace(*np.quantile(below, [0.3, 0.4]), 2000).astype(np.float32)
    margin = max(margins, key=lambda margin: np.abs(below - np.float64(margin)).min())
    if np.abs(below - np.float64(margin)).min() < MARGIN:
        raise SystemExit("every margin has a logit too near to it")
    whole = below <= margin
    return margin, np.where(whole, both, high), whole.mean()


def main() -> None:
    both, high = all_planes(tiny_llama.checked_weights())
    weights = side_by_side(both, high)
    ids = load_file(tiny_llama.LLAMA / "oracle.safetensors")["ids"][:1, :TOKENS]
    first = Grades(high, {}, {})
    logits = tiny_llama.run(ids, weights, first)[0]
    offsets = mean_left_out(both, high, first.inputs)
    by_high_head = weights | {"lm_head.weight": high["lm_head.weight"]}
    head_offset = (logits - tiny_llama.run(ids, by_high_head, first)[0]).mean((0, 1)).astype(np.float32)
    dense = Grades(high, {}, offsets)
    tiny_llama.run(ids, weights, dense)
    tensors = {"ids": ids, "dense.logits": logits[0].astype(np.float32), "head.offset": head_offset}
    tensors |= {f"layers.{layer}.ffn.{name.removeprefix('mlp.')}_offset": offset
                for (layer, name), offset in offsets.items()}
    quantiles = {}
    for (layer, name), (x, half) in dense.seen.items():
        if name == "mlp.down":
            tensors[f"layers.{layer}.ffn.energy"] = np.square(x).sum(0)
            tensors[f"layers.{layer}.ffn.error"] = np.square(x - half).sum(0)
        quantiles[layer, name] = tuple(np.quantile(np.abs(half), share, axis=0) for share in (0.3, 0.75))
    for scale in np.linspace(1.001, 1.1, 200):
        limits = {key: tuple((scale * value).astype(np.float32) for value in pair) for key, pair in quantiles.items()}
        graded = Grades(high, limits, offsets)
        logits = tiny_llama.run(ids, weights, graded)[0]
        if graded.nearest > MARGIN:
            break
    else:
        raise SystemExit("every scale has a value too near to its threshold")
    tensors["graded.logits"] = logits[0].astype(np.float32)
    for (layer, name), (half, full) in limits.items():
        place = f"layers.{layer}.{PLACES[name]}"
        tensors |= {f"{place}.half": half, f"{place}.full": full, f"{place}.shares": graded.shares[layer, name]}
    coarse = tiny_llama.run(ids, by_high_head, graded)[0]
    margin, on_head, share = on_demand(logits[0], coarse[0] + head_offset)
    tensors |= {"head.margin": np.array([margin]), "head.logits": on_head.astype(np.float32),
                "head.share": np.array([share])}
    save(FIXTURES / "statistics" / "planes.safetensors", tensors, versions("numpy", "safetensors"))


if __name__ == "__main__":
    main()
